import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { verbatim } from '../../../base/words.ts';
import { foundWords } from '../check-words.ts';
import { said } from '../said.ts';
import { setupWords } from '../setup-words.ts';
import { dnsSettingsSchema } from '../../../flow/dns-plan/settings.ts';
import { domainFacts } from '../../../flow/doctor/facts.ts';
import type { CheckName, DoctorLine } from '../../../flow/doctor/types.ts';
import { type DnsRecord, domainRecords } from '../../../mail/dns-records.ts';
import { recordInWords } from './domains.ts';
import { hostFacts } from './host-facts.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { domainName } from './schemas.ts';
import { saveSetup, type SetupState, setupState, type StepId, STEPS } from './setup-state.ts';
import { setupProbes } from './setup-probes.ts';

/** The first day of a server: what is left to do, with what mends it. */

const stepState = z.enum(['done', 'open', 'problem', 'skipped']);
const record = z.object({
  name: z.string(),
  type: z.string(),
  value: z.string(),
  why: z.string(),
  whyWords: said.optional(),
  onlyIf: z.string().optional(),
  onlyIfWords: said.optional(),
  state: z.enum(['ok', 'warning', 'problem', 'unknown']),
  /** What DNS has; '' where nobody has looked. */
  found: z.string(),
  foundWords: z.array(said).readonly().optional(),
});
const step = z.object({
  id: z.enum(STEPS),
  title: z.string(),
  state: stepState,
  sentence: z.string(),
  /** Both with their codes. */
  words: z
    .object({
      title: said,
      sentence: said,
      /** Of a sentence that is several: what each is about, and what was found. */
      found: z.array(z.object({ subject: z.string(), words: z.array(said).readonly() })).optional(),
    })
    .optional(),
  /** What to type or to publish. */
  mend: z.array(z.string()),
  records: z.array(record).optional(),
  /** The records can be written at the provider of the zone (POST /dns/:domain/plan and apply). */
  provider: z.boolean().optional(),
  /** The newest test message of the step, while it has not arrived. */
  probe: z.object({ id: z.string(), address: z.string(), to: z.string(), subject: z.string() }).optional(),
});
type Step = z.input<typeof step>;

const TITLES: Readonly<Record<StepId, string>> = {
  domain: 'A domain',
  dns: 'DNS records',
  certificate: 'A certificate',
  account: 'The first account',
  send: 'Mail goes out',
  receive: 'Mail comes in',
  backup: 'A backup',
};

const get = operation({
  method: 'GET',
  path: '/setup',
  summary: 'What is left to do on the first day; with check, DNS is asked now',
  access: 'administrator',
  input: z.strictObject({ domain: domainName.optional(), check: z.stringbool().default(false) }),
  output: z.object({
    firstRun: z.boolean(),
    complete: z.boolean(),
    domain: z.string().optional(),
    steps: z.array(step),
  }),
  async run(context, { domain: wanted, check }) {
    const { store } = context;
    const domains = (await store.read.run('directory.domains', null)).filter(
      ({ aliasOf }) => aliasOf === undefined,
    );
    const first = domains.toSorted((a, b) => a.id - b.id)[0];
    const found = wanted === undefined ? first : await store.read.run('directory.domain', { name: wanted });
    if (wanted !== undefined && found === undefined)
      throw new Refusal('not-found', `${wanted} is not one of our domains.`);
    const dns = found === undefined ? undefined : await dnsStep(context, found.name, check);
    const state = await setupState(context);
    const steps = STEPS.map((id) =>
      id === 'dns' && dns !== undefined ? left(state, dns) : left(state, plainStep(context, id, state)),
    );
    return {
      firstRun: state.firstRun,
      complete: steps.every((each) => each.state === 'done' || each.state === 'skipped'),
      ...(found !== undefined && { domain: found.name }),
      steps: steps.map(inWords),
    };
  },
});

function inWords(one: Step): Step {
  return {
    ...one,
    words: { ...one.words, title: setupWords.of(one.title), sentence: setupWords.of(one.sentence) },
    ...(one.records !== undefined && {
      records: one.records.map((each) => ({
        ...recordInWords(each),
        ...(each.found !== '' && { foundWords: foundWords(each.found) }),
      })),
    }),
  };
}

/** What somebody wants to leave out counts as left out until it is done. */
function left({ kept }: SetupState, one: Step): Step {
  return one.state !== 'done' && kept.skipped.includes(one.id) ? { ...one, state: 'skipped' } : one;
}

function plainStep({ facts }: AdminContext, id: StepId, { done: reached, kept }: SetupState): Step {
  const isDone = reached.has(id);
  const waits = kept.probes.some(
    (one) => one.kind === (id === 'send' ? 'send' : 'expect') && one.arrivedAt === undefined,
  );
  const words: Readonly<Record<StepId, readonly [done: string, open: string, mend: readonly string[]]>> = {
    domain: ['There is a domain.', 'There is no domain yet.', ['postern domain add DOMAIN']],
    dns: ['The records are published.', 'Add a domain first.', []],
    certificate: [
      `There is a certificate for ${facts.hostname}.`,
      `There is no certificate for ${facts.hostname}: mail programs cannot log in.`,
      [
        'postern certificate terms',
        'postern certificate set terms_agreed true',
        'postern certificate set enabled true',
        'or set tls.cert and tls.key in the configuration',
      ],
    ],
    account: [
      'There is an account.',
      'Nobody has an account yet.',
      ['postern account add you@DOMAIN --role admin'],
    ],
    send: [
      'A message has reached an address elsewhere.',
      waits ? 'A test message is under way.' : 'Nobody has tried yet whether mail goes out.',
      ['postern setup test-mail --from ADDRESS --to ADDRESS'],
    ],
    receive: [
      'Mail from elsewhere has arrived.',
      waits ? 'A message from elsewhere is waited for.' : 'Nobody has tried yet whether mail comes in.',
      ['postern setup expect-mail ADDRESS'],
    ],
    backup: [
      'A backup was made.',
      'No backup was ever made.',
      [
        'postern backup set target DIRECTORY',
        'postern backup set passphrase_file FILE',
        'postern backup create',
      ],
    ],
  };
  const [yes, no, mend] = words[id];
  return {
    id,
    title: TITLES[id],
    state: isDone ? 'done' : 'open',
    sentence: isDone ? yes : no,
    mend: isDone ? [] : [...mend],
    ...(!isDone && probeOf(id, kept)),
  };
}

/** What a page that was loaded anew goes on watching. */
function probeOf(id: StepId, { probes }: SetupState['kept']): Pick<Step, 'probe'> {
  const kind = id === 'send' ? 'send' : id === 'receive' ? 'expect' : undefined;
  const found = probes.find((one) => one.kind === kind && one.arrivedAt === undefined);
  if (found === undefined) return {};
  const { id: own, address, to, subject } = found;
  return { probe: { id: own, address, to, subject } };
}

/** Checks that are about records of a domain. */
const OF_RECORDS: readonly CheckName[] = [
  'zone',
  'mx',
  'spf',
  'dkim',
  'dmarc',
  'mta-sts',
  'tls-rpt',
  'srv',
  'autoconfig',
  'caa',
  'tlsa',
];
/** Without these no mail comes, or none is believed. */
const NEEDED: ReadonlySet<CheckName> = new Set(['zone', 'mx', 'spf', 'dkim']);

async function dnsStep(context: AdminContext, domain: string, check: boolean): Promise<Step> {
  const { store, facts, doctor, clock } = context;
  const records = domainRecords(await domainFacts(store, hostFacts(facts), domain));
  const report = check && doctor !== undefined ? await doctor.run([domain], OF_RECORDS) : undefined;
  const lines = report?.lines.filter((line) => line.domain === domain) ?? [];
  const bad = lines.filter(({ check: name, state }) => state === 'problem' && NEEDED.has(name));
  const needed = lines.filter(({ check: name }) => NEEDED.has(name));
  // Whether each server of the zone answers us is told by the checks; here it is enough that resolvers find the records.
  const fine = ({ check: name, state }: DoctorLine): boolean =>
    state === 'ok' || state === 'warning' || (name === 'zone' && state === 'unknown');
  const good = needed.length > 0 && needed.every(fine);
  if (report !== undefined)
    await saveSetup(store, ({ dnsAt: _before, ...rest }) => ({
      ...rest,
      ...(good && { dnsAt: clock.now() }),
    }));
  const { kept } = await setupState(context);
  const json = await store.read.run('dns.settings', null);
  const settings = dnsSettingsSchema.safeParse(json === undefined ? {} : JSON.parse(json));
  const zones = settings.success ? Object.keys(settings.data.zones) : [];
  const state =
    report !== undefined
      ? good
        ? 'done'
        : bad.length > 0
          ? 'problem'
          : 'open'
      : kept.dnsAt === undefined
        ? 'open'
        : 'done';
  return {
    id: 'dns',
    title: TITLES.dns,
    state,
    sentence:
      report === undefined
        ? kept.dnsAt === undefined
          ? `Publish these records of ${domain}, then look whether they are there.`
          : 'The records were found when they were last looked for.'
        : bad.length === 0
          ? good
            ? 'What mail needs is published.'
            : 'DNS could not be asked for all of it.'
          : bad.map(({ subject, found }) => `${subject}: ${found}`).join(' '),
    ...(bad.length > 0 && { words: problemWords(bad) }),
    mend: [...new Set(bad.flatMap(({ mend }) => [...mend]))],
    records: records.map((one) => ({ ...named(one), ...seen(one, lines) })),
    provider: zones.some((zone) => domain === zone || domain.endsWith(`.${zone}`)),
  };
}

/** What is wrong with the records, each behind its name. */
function problemWords(bad: readonly DoctorLine[]): NonNullable<Step['words']> {
  const found = bad.map(({ subject, found: text }) => ({ subject, words: foundWords(text) }));
  return { title: setupWords.of(TITLES.dns), sentence: verbatim(''), found };
}

function named({ name, type, value, why, onlyIf }: DnsRecord) {
  return { name, type, value, why, ...(onlyIf !== undefined && { onlyIf }) };
}

/** What the doctor says of a record: the line that its type and name belong to. */
function seen(
  { name, type, value }: { name: string; type: string; value: string },
  lines: readonly DoctorLine[],
): Pick<z.input<typeof record>, 'state' | 'found'> {
  const check = checkOf(name, type, value);
  const line =
    lines.find((one) => one.check === check && one.subject.toLowerCase().includes(name.toLowerCase())) ??
    lines.find((one) => one.check === check);
  return line === undefined ? { state: 'unknown', found: '' } : { state: line.state, found: line.found };
}

function checkOf(name: string, type: string, value: string): CheckName | undefined {
  if (type === 'MX') return 'mx';
  if (type === 'SRV') return 'srv';
  if (type === 'TLSA') return 'tlsa';
  if (type === 'CAA') return 'caa';
  if (name.includes('._domainkey.')) return 'dkim';
  if (name.startsWith('_dmarc.')) return 'dmarc';
  if (name.startsWith('_mta-sts.') || name.startsWith('mta-sts.')) return 'mta-sts';
  if (name.startsWith('_smtp._tls.')) return 'tls-rpt';
  if (/^auto(?:config|discover)\./.test(name)) return 'autoconfig';
  return type === 'TXT' && value.startsWith('v=spf1') ? 'spf' : undefined;
}

const setStep = operation({
  method: 'PUT',
  path: '/setup/steps/:id',
  summary: 'Leave a step of the setup out, or take it up again',
  access: 'administrator',
  input: z.strictObject({ id: z.enum(STEPS), skipped: z.boolean() }),
  output: done,
  audited: ({ id, skipped }) => ({
    action: skipped ? 'setup.skip' : 'setup.resume',
    subject: id,
  }),
  async run({ store }, { id, skipped }) {
    await saveSetup(store, (before) => ({
      ...before,
      skipped: [...before.skipped.filter((each) => each !== id), ...(skipped ? [id] : [])],
    }));
    return OK;
  },
});

export const setup = { get, setStep, ...setupProbes };
