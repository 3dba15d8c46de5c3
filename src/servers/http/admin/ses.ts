import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { JournalRow } from '../../../data/journal/types.ts';
import { routingSettingsSchema } from '../../../flow/outbound/routing/settings.ts';
import { intakeSettingsSchema } from '../../../flow/ses-inbound/settings.ts';
import { type SesRegion, sesRegions } from '../../../flow/ses-setup/places.ts';
import type { SesStatus } from '../../../flow/ses-setup/status.ts';
import { remedy, said } from '../said.ts';
import { waySentences, wayRemedy, wayWords } from '../way-words.ts';
import { type AdminContext, operation } from './operation.ts';
import { journalRow, rowsInWords } from './schemas.ts';

/** How Amazon SES stands: what it and DNS have, compared with what mail needs. */

/** What SES told of mail that it sent or took, newest first, so many. */
const EVENTS = 30;
const EVENT_KINDS = [
  'delivery.bounced',
  'delivery.complained',
  'delivery.confirmed',
  'intake.waiting',
  'intake.ended',
  'intake.notice',
] as const;
const FOREVER = 8.64e15;

const line = z.object({
  area: z.enum(['account', 'identity', 'receiving', 'events', 'dns']),
  subject: z.string(),
  state: z.enum(['ok', 'problem', 'unknown']),
  found: z.string(),
  why: z.string(),
  /** Commands and DNS records that mend it. */
  mend: z.array(z.string()),
  /** The same with codes. */
  words: z.object({
    subject: said,
    found: z.array(said).readonly(),
    why: z.array(said).readonly(),
    mend: z.array(remedy).readonly(),
  }),
});

const region = z.object({
  region: z.string(),
  /** Who we are at Amazon; absent where it does not know us. */
  caller: z.object({ account: z.string(), arn: z.string() }).optional(),
  /** Names of those that use the region. */
  transports: z.array(z.string()),
  sources: z.array(z.string()),
  lines: z.array(line),
});

const status = operation({
  method: 'GET',
  path: '/ses/status',
  summary:
    'What Amazon SES and DNS have for the transports and sources that use it: account, domains, receiving, events',
  access: 'administrator',
  input: z.strictObject({ region: z.string().min(1).max(40).optional() }),
  output: z.object({ now: z.number(), regions: z.array(region) }),
  async run(context, { region: wanted }) {
    const { store, clock, ses } = context;
    if (ses === undefined) throw new Refusal('unavailable', 'Amazon cannot be asked from here.');
    const places = (await placesOf(context)).filter(
      ({ settings }) => wanted === undefined || settings.region === wanted,
    );
    const domains = (await store.read.run('directory.domains', null)).map(({ name }) => name);
    const host = context.facts.hostname;
    const regions: z.input<typeof region>[] = [];
    // One after the other: Amazon answers few such calls a second.
    for (const place of places) regions.push(told(place, await ses.look(place, { domains, host })));
    return { now: clock.now(), regions };
  },
});

async function placesOf({ store }: AdminContext): Promise<SesRegion[]> {
  const [routing, intake] = await Promise.all([
    store.read.run('routing.settings', null),
    store.read.run('intake.settings', null),
  ]);
  return sesRegions(
    routingSettingsSchema.parse(routing === undefined ? {} : JSON.parse(routing)),
    intakeSettingsSchema.parse(intake === undefined ? {} : JSON.parse(intake)),
  );
}

function told(place: SesRegion, { caller, lines }: SesStatus): z.input<typeof region> {
  return {
    region: place.settings.region,
    ...(caller !== undefined && { caller: { account: caller.account, arn: caller.arn } }),
    transports: [...place.transports],
    sources: [...place.intake],
    lines: lines.map((one) => ({ ...one, mend: [...one.mend], words: lineWords(one) })),
  };
}

function lineWords({ subject, found, why, mend }: SesStatus['lines'][number]) {
  return {
    subject: wayWords.of(subject),
    found: waySentences(found),
    why: waySentences(why),
    mend: mend.map(wayRemedy),
  };
}

const events = operation({
  method: 'GET',
  path: '/ses/events',
  summary: 'What SES told last of mail it sent or took for us, newest first',
  access: 'administrator',
  input: z.strictObject({ words: z.stringbool().optional() }),
  output: z.object({ events: z.array(journalRow) }),
  async run({ store }, { words }) {
    const found: JournalRow[] = [];
    for (const kind of EVENT_KINDS) {
      const { rows } = await store.read.run('journal.search', { kind, from: 0, to: FOREVER, limit: EVENTS });
      found.push(...rows);
    }
    const newest = found.toSorted((a, b) => b.at - a.at || b.id - a.id).slice(0, EVENTS);
    return { events: rowsInWords(newest, words) };
  },
});

export const ses = { status, events };
