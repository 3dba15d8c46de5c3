/** The server's own words. */
export { healthTexts as default } from '../../../../src/servers/http/health-texts.ts';
