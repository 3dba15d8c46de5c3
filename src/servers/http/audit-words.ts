import { wordsOf } from '../../base/words.ts';
import { auditWhy } from './audit-texts.ts';

/** What is said of entries of the audit. */
export const auditWords = wordsOf('audit', auditWhy);
