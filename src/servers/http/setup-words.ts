import { wordsOf } from '../../base/words.ts';
import { setupTexts } from './setup-texts.ts';

/** Sentences of setup and of the doctor's checks, by their words. */
export const setupWords = wordsOf('setup', setupTexts);
