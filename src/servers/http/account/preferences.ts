import { z } from 'zod';
import { operation } from './operation.ts';
import { nothing } from './schemas.ts';

/** What the web pages remember for an account, on whatever device: labels, and how things look. */

const label = z.strictObject({
  /** An IMAP keyword (RFC 9051 section 9, flag-keyword), so that every program sees it. */
  keyword: z.string().regex(/^[A-Za-z0-9$_.-]{1,50}$/, 'letters, digits, $ _ . -'),
  name: z.string().trim().min(1).max(100),
  colour: z.string().regex(/^#[0-9a-f]{6}$|^[a-z]{1,20}$/, '#rrggbb or the name of a colour'),
});
const labelsAnswer = z.object({ labels: z.array(label) });

const labels = operation({
  method: 'GET',
  path: '/labels',
  summary: 'Labels: keywords with a name and a colour',
  access: 'mail',
  input: nothing,
  output: labelsAnswer,
  async run({ store }, _input, { accountId }) {
    const json = await store.read.run('account.setting', { accountId, kind: 'labels' });
    const stored = z.array(label).safeParse(json === undefined ? [] : JSON.parse(json));
    return { labels: stored.success ? stored.data : [] };
  },
});

const setLabels = operation({
  method: 'PUT',
  path: '/labels',
  summary: 'Replace the labels',
  access: 'settings',
  input: z.strictObject({
    labels: z
      .array(label)
      .max(200)
      .refine(
        (all) => new Set(all.map(({ keyword }) => keyword.toLowerCase())).size === all.length,
        'a keyword may have one label only',
      ),
  }),
  output: labelsAnswer,
  async run({ store }, { labels: wanted }, { accountId }) {
    const json = JSON.stringify(wanted);
    await store.write.run('account.setSetting', { accountId, kind: 'labels', json });
    return { labels: wanted };
  },
});

/** Of those the server knows it checks the values; others are the pages' own affair. */
const preferences = z.looseObject({
  theme: z.enum(['light', 'dark', 'auto']).optional(),
  language: z.string().max(20).optional(),
  remoteImages: z.enum(['ask', 'always', 'never']).optional(),
  undoSendSeconds: z.number().int().min(0).max(60).optional(),
});

const show = operation({
  method: 'GET',
  path: '/preferences',
  summary: 'How the web pages look and work for you',
  access: 'mail',
  input: nothing,
  output: preferences,
  async run({ store }, _input, { accountId }) {
    const json = await store.read.run('account.setting', { accountId, kind: 'preferences' });
    const stored = preferences.safeParse(json === undefined ? {} : JSON.parse(json));
    return stored.success ? stored.data : {};
  },
});

const set = operation({
  method: 'PUT',
  path: '/preferences',
  summary: 'Replace how the web pages look and work for you; at most 16 KiB',
  access: 'settings',
  input: preferences,
  output: preferences,
  async run({ store }, wanted, { accountId }) {
    const json = JSON.stringify(wanted);
    await store.write.run('account.setSetting', { accountId, kind: 'preferences', json });
    return wanted;
  },
});

export const settings = { labels, setLabels, show, set };
