import { ADVICE_WORDS, adviceFor } from '../../mail/dsn/advice.ts';
import { type Said, wordsOf } from '../../base/words.ts';

/** The advice that senders get in a notification, with its codes. */

const { find } = wordsOf('advice', ADVICE_WORDS);

export function adviceWords(status: string, action: 'failed' | 'delayed'): readonly Said[] {
  const { DELAYED } = ADVICE_WORDS;
  const text = adviceFor(status, action);
  const parts = text.endsWith(` ${DELAYED}`) ? [text.slice(0, -DELAYED.length - 1), DELAYED] : [text];
  return parts.map((each) => find(each) ?? { code: '', text: each });
}
