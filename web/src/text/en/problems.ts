/** The server's own words. */
export { problems as default } from '../../../../src/servers/http/problem-texts.ts';
