/** The server's own words. */
export { wayTexts as default } from '../../../../src/servers/http/way-texts.ts';
