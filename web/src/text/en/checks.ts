/** The server's own words. */
export { checkTexts as default } from '../../../../src/servers/http/check-texts.ts';
