/** The server's own words. */
export { whyWords as default } from '../../../../src/flow/explain/words/why.ts';
