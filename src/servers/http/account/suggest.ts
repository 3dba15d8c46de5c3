import { z } from 'zod';
import { operation } from './operation.ts';

/** What somebody who types into the search field may mean. */

const OPERATORS = [
  'from:',
  'to:',
  'cc:',
  'subject:',
  'body:',
  'in:',
  'label:',
  'has:attachment',
  'is:unread',
  'is:read',
  'is:flagged',
  'is:answered',
  'is:draft',
  'before:',
  'after:',
  'larger:',
  'smaller:',
] as const;

const MOST = { contacts: 8, mailboxes: 6, keywords: 6, operators: 6 } as const;

/** Operators that want an address, and those that want a mailbox or a label. */
const OF_PEOPLE = /^(?:from|to|cc|bcc):(.*)$/i;
const OF_PLACES = /^in:(.*)$/i;
const OF_LABELS = /^label:(.*)$/i;

const storedLabels = z.array(z.looseObject({ keyword: z.string(), name: z.string() }));

interface Parts {
  /** "from:", or '' for any word. */
  readonly operator: string;
  readonly rest: string;
  readonly people: boolean;
  readonly places: boolean;
  readonly labels: boolean;
}

function partsOf(word: string): Parts {
  const colon = word.indexOf(':') + 1;
  const split = { operator: word.slice(0, colon), rest: word.slice(colon).replace(/^"/, '') };
  const none = { people: false, places: false, labels: false };
  if (OF_PEOPLE.test(word)) return { ...split, ...none, people: true };
  if (OF_PLACES.test(word)) return { ...split, ...none, places: true };
  if (OF_LABELS.test(word)) return { ...split, ...none, labels: true };
  return { operator: '', rest: word, people: true, places: true, labels: true };
}

function quoted(text: string): string {
  return /\s/.test(text) ? `"${text.replaceAll('"', '')}"` : text;
}

const run = operation({
  method: 'GET',
  path: '/search/suggest',
  summary: 'People, mailboxes, labels and operators that complete what is typed into the search field',
  access: 'mail',
  input: z.strictObject({ q: z.string().max(500).default('') }),
  output: z.object({
    suggestions: z.array(
      z.object({
        kind: z.enum(['contact', 'mailbox', 'keyword', 'operator']),
        /** What the last word becomes. */
        text: z.string(),
        /** What is shown beside it. */
        label: z.string().optional(),
      }),
    ),
  }),
  async run({ store }, { q }, { accountId }) {
    const word = /(?:\S*"[^"]*|\S*)$/.exec(q)?.[0] ?? '';
    const { operator, rest, people, places, labels } = partsOf(word);
    const wanted = rest.toLowerCase();
    const [contacts, mailboxes, json] = await Promise.all([
      people && (rest !== '' || operator !== '')
        ? store.read.run('account.contacts', { accountId, q: rest, limit: MOST.contacts })
        : [],
      places ? store.read.run('mailstore.mailboxes', { accountId }) : [],
      labels ? store.read.run('account.setting', { accountId, kind: 'labels' }) : undefined,
    ]);
    const known = storedLabels.safeParse(json === undefined ? [] : JSON.parse(json));
    const operators = OPERATORS.filter((each) => operator === '' && each.startsWith(wanted));
    return {
      suggestions: [
        ...contacts.map(({ name, address }) => ({
          kind: 'contact' as const,
          text: `${operator === '' ? 'from:' : operator}${address}`,
          label: name === '' ? address : `${name} <${address}>`,
        })),
        ...mailboxes
          .filter(({ id, name }) => id !== 0 && name.toLowerCase().includes(wanted))
          .slice(0, wanted === '' && operator === '' ? 0 : MOST.mailboxes)
          .map(({ name }) => ({ kind: 'mailbox' as const, text: `in:${quoted(name)}`, label: name })),
        ...(known.success ? known.data : [])
          .filter(({ name, keyword }) => `${name} ${keyword}`.toLowerCase().includes(wanted))
          .slice(0, wanted === '' && operator === '' ? 0 : MOST.keywords)
          .map(({ keyword, name }) => ({ kind: 'keyword' as const, text: `label:${keyword}`, label: name })),
        ...operators.slice(0, MOST.operators).map((text) => ({ kind: 'operator' as const, text })),
      ],
    };
  },
});

export const search = { suggest: run };
