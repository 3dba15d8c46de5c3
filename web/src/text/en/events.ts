/** The server's own words. */
export { events as default } from '../../../../src/flow/explain/words/events.ts';
