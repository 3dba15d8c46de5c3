/** The server writes its English by the same rules. */
export { formatMessage, type Values } from '../../../src/base/message-format.ts';
