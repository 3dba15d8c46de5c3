import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal, smtpReply } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import {
  askMilter,
  type MilterField,
  type MilterMessage,
  type MilterVerdict,
} from '../../net/milter/client.ts';
import { askClamd } from '../../net/partners/clamd.ts';
import { askRspamd } from '../../net/partners/rspamd.ts';
import type { FilterSettings } from './settings.ts';
import type { Reason } from './types.ts';
import type { Decision } from './verdict.ts';

/** What filters beside us said of a message. */
export interface PartnerWords {
  readonly facts: readonly Reason[];
  readonly decisions: readonly Decision[];
  /** Fields that milters want to see in it. */
  readonly added: readonly MilterField[];
}

/** How a filter beside us does, for metrics and the status page. */
export interface PartnerState {
  readonly name: string;
  readonly up: boolean;
  /** Why not; '' when it is up. */
  readonly problem: string;
  /** Milliseconds of its last answer. */
  readonly tookMs: number;
}

export interface PartnersOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each question. */
  readonly onState?: (state: PartnerState) => void;
}

export interface Partners {
  /** Ask all that are configured, side by side. Throws a Refusal (451) where one failed that must not. */
  ask(settings: FilterSettings, message: MilterMessage): Promise<PartnerWords>;
  states(): readonly PartnerState[];
}

/** One question, what it is called, and what it gives. */
interface Inquiry {
  readonly name: string;
  readonly failure: 'ignore' | 'defer';
  readonly ask: () => Promise<Partial<PartnerWords>>;
}

/** ClamAV, rspamd and milters, as the site's settings name them. */
export function createPartners({ clock, logger, onState }: PartnersOptions): Partners {
  const states = new Map<string, PartnerState>();

  function note(state: PartnerState): void {
    const before = states.get(state.name);
    states.set(state.name, state);
    onState?.(state);
    if (before?.up === state.up) return;
    if (!state.up) logger.warn({ partner: state.name, problem: state.problem }, 'filter: a partner is down');
    else if (before !== undefined) logger.info({ partner: state.name }, 'filter: a partner is back');
  }

  async function one({ name, failure, ask }: Inquiry): Promise<Partial<PartnerWords>> {
    const start = clock.monotonic();
    try {
      const words = await ask();
      note({ name, up: true, problem: '', tookMs: clock.monotonic() - start });
      return words;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      note({ name, up: false, problem: errorText(error), tookMs: clock.monotonic() - start });
      if (failure === 'defer') throw partnerDown(name);
      return {};
    }
  }

  return {
    async ask(settings, message) {
      const inquiries = inquiriesOf(settings, message, clock);
      // All come to their end before one that must not be left out sends the message away.
      const settled = await Promise.allSettled(inquiries.map(one));
      const failed = settled.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      return {
        facts: answers.flatMap(({ facts = [] }) => facts),
        decisions: answers.flatMap(({ decisions = [] }) => decisions),
        added: answers.flatMap(({ added = [] }) => added),
      };
    },
    states: () => [...states.values()],
  };
}

/** RFC 3463 X.3.0: something here does not work. */
function partnerDown(name: string): Refusal {
  const text = `The mail filter ${name} cannot be asked now; try again later`;
  return new Refusal('unavailable', text, { smtp: smtpReply(451, '4.3.0', text) });
}

function inquiriesOf(settings: FilterSettings, message: MilterMessage, clock: Clock): Inquiry[] {
  const { clamav, rspamd, milters } = settings;
  const inquiries: Inquiry[] = [];
  if (clamav.address !== '') {
    const ask = async (): Promise<Partial<PartnerWords>> => {
      const verdict = await askClamd(clamav.address, message, clock);
      if (verdict.status === 'infected') return infected(verdict.name, clamav.infected);
      return verdict.status === 'clean' ? {} : { facts: [unscanned] };
    };
    inquiries.push({ name: 'clamav', failure: clamav.failure, ask });
  }
  if (rspamd.url !== '') {
    const ask = async (): Promise<Partial<PartnerWords>> => {
      const verdict = await askRspamd(rspamd.url, message, clock);
      return { facts: [rspamdFact(verdict, rspamd.weight)] };
    };
    inquiries.push({ name: 'rspamd', failure: rspamd.failure, ask });
  }
  for (const { name, address, failure } of milters) {
    const ask = async (): Promise<Partial<PartnerWords>> =>
      milterWords(name, await askMilter(address, message, clock));
    inquiries.push({ name: `milter ${name}`, failure, ask });
  }
  return inquiries;
}

const unscanned: Reason = {
  name: 'NOT_SCANNED',
  score: 0.1,
  text: 'it is too large for the virus scanner',
};

function infected(name: string, action: 'refuse' | 'junk'): Partial<PartnerWords> {
  const reason = {
    name: 'VIRUS',
    score: 0,
    text: `the virus scanner found ${name}`,
    lever: 'the file that carries it were not attached',
  };
  return { decisions: [{ action, reason }] };
}

function rspamdFact(
  verdict: { score: number; symbols: readonly { name: string }[] },
  weight: number,
): Reason {
  const because = verdict.symbols.slice(0, 5).map(({ name }) => name);
  return {
    name: 'RSPAMD',
    score: verdict.score * weight,
    text: `rspamd gives it ${verdict.score.toFixed(1)} points${because.length === 0 ? '' : ` (${because.join(', ')})`}`,
  };
}

/** Text of a milter's refusal that may be repeated: its own words, or ours. */
function milterWords(name: string, verdict: MilterVerdict): Partial<PartnerWords> {
  const { action, reason, added } = verdict;
  const because = (text: string): Reason => ({ name: 'MILTER', score: 0, text: `${name}: ${text}` });
  switch (action) {
    case 'accept':
      return { added };
    case 'quarantine':
      return { added, decisions: [{ action: 'junk', reason: because(`it wants it set aside: ${reason}`) }] };
    case 'discard':
      // Mail does not vanish here: who looks into Junk finds it.
      return { added, decisions: [{ action: 'junk', reason: because('it wants it thrown away') }] };
    case 'reject':
      return { added, decisions: [{ action: 'refuse', reason: because(`it refuses: ${reason}`) }] };
    case 'defer': {
      const text = /^4\d\d(?: 4\.\d{1,3}\.\d{1,3})? (.{1,300})$/.exec(reason)?.[1] ?? 'Try again later';
      throw new Refusal('unavailable', `${name}: ${text}`, { smtp: smtpReply(451, '4.7.1', text) });
    }
  }
}
