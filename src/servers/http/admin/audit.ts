import { z } from 'zod';
import { operation } from './operation.ts';

const list = operation({
  method: 'GET',
  path: '/audit',
  summary: 'Who changed what, newest first; `before` continues a list',
  access: 'administrator',
  input: z.strictObject({
    limit: z.coerce.number<number | string>().int().min(1).max(1000).default(50),
    before: z.coerce.number<number | string>().int().min(1).optional(),
  }),
  output: z.object({
    rows: z.array(
      z.object({
        id: z.number(),
        at: z.number(),
        actor: z.string(),
        action: z.string(),
        subject: z.string(),
        /** JSON. */
        data: z.string(),
      }),
    ),
  }),
  async run({ store }, { limit, before }) {
    return {
      rows: await store.read.run('directory.audit', before === undefined ? { limit } : { limit, before }),
    };
  },
});

export const audit = { list };
