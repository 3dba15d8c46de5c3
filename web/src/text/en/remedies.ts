/** The server's own words. */
export { remedies as default } from '../../../../src/flow/explain/words/remedies.ts';
