import { z } from 'zod';
import type { Said } from '../../base/words.ts';

/**
 * A sentence: its code and the facts in it beside the English (docs/adr/0023). '' is the code of text that is nobody's
 * sentence.
 */
export const said = z
  .custom<Said>()
  .meta({ description: 'A sentence: code, args and the English text', type: 'object' });

/** What mends something: a sentence, or a command or record to be copied, with what is said about it. */
export const remedy = z.object({ command: z.string().optional(), said: z.array(said).readonly().optional() });
