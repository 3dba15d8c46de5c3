/** The server's own words. */
export { setupTexts as default } from '../../../../src/servers/http/setup-texts.ts';
