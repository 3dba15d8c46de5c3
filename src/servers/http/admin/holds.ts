import { z } from 'zod';
import { said } from '../said.ts';
import { waySentences } from '../way-words.ts';
import { operation } from './operation.ts';
import { address } from './schemas.ts';

/** Messages released or dropped in one write: others wait meanwhile. */
const BATCH = 200;

const held = z.object({
  account: z.string(),
  /** Undefined: only single messages are held. */
  hold: z
    .object({ reason: z.string(), reasonWords: z.array(said).readonly().optional(), since: z.number() })
    .optional(),
  messages: z.number(),
  recipients: z.number(),
  oldest: z.number().optional(),
});

const list = operation({
  method: 'GET',
  path: '/holds',
  summary: 'Accounts whose outgoing mail is held',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({ held: z.array(held) }),
  async run({ store }) {
    const all = await store.read.run('holds.list', null);
    return {
      held: all.map((one) => ({
        ...one,
        ...(one.hold !== undefined && {
          hold: { ...one.hold, reasonWords: waySentences(one.hold.reason) },
        }),
      })),
    };
  },
});

const release = operation({
  method: 'POST',
  path: '/holds/:account/release',
  summary: 'Let an account send again; send what was held, or drop it',
  access: 'administrator',
  input: z.strictObject({ account: address, drop: z.boolean().default(false) }),
  output: z.object({ messages: z.number(), recipients: z.number(), keptHeld: z.string().optional() }),
  async run({ store, outgoing, facts }, { account, drop }, actor) {
    // What was counted and not stored yet is part of what the release makes usual.
    await outgoing?.flush();
    const keepHeld = drop ? undefined : facts.outgoingHeld?.();
    const sum = { messages: 0, recipients: 0, ...(keepHeld !== undefined && { keptHeld: keepHeld }) };
    for (let isFirst = true; ; isFirst = false) {
      const args = { actor, address: account, drop, keepHeld, limit: BATCH, isFirst };
      const { accountId, messages, recipients, more } = await store.write.run('holds.release', args);
      outgoing?.released(accountId);
      sum.messages += messages;
      sum.recipients += recipients;
      if (!more) return sum;
    }
  },
});

export const holds = { list, release };
