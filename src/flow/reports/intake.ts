import { errorText } from '../../base/errors.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';
import { findReport, hintedDomain } from '../../mail/reports/find-report.ts';
import { ReportProblem } from '../../mail/reports/problem.ts';
import type { ArrivedReport, RecognisedReport } from '../report-hooks.ts';
import type { ReportMetrics } from './metrics.ts';
import { reporterOf } from './reporter.ts';
import { type TakeParts, takeReport, type Taking } from './take.ts';

/** Reports that wait to be read; those beyond are found when the mailboxes are read again. */
const WAITING_MAX = 200;
/** Characters of a Subject that are looked at. */
const SUBJECT_CHARS = 1000;

export interface IntakeParts extends TakeParts {
  readonly metrics: ReportMetrics;
}

export interface ReportIntake {
  take(report: RecognisedReport, arrived: ArrivedReport): void;
  /** Read one at once; every failure is counted and logged. False: the store takes nothing now. */
  now(taking: Taking): Promise<boolean>;
  /** When what waits now has been read. */
  idle(): Promise<void>;
  /** What waits is left for the next reading of the mailboxes; what is being read comes to its end. */
  stop(): Promise<void>;
}

/** Whether a message looks like a report, by what is known of it anyway. */
export function recogniseReport(structure: MessageStructure, header: Buffer): RecognisedReport | undefined {
  const { fields } = structure;
  const field = fields.find(({ name }) => name === 'subject');
  const raw =
    field === undefined
      ? ''
      : header.toString('latin1', field.valueStart, Math.min(field.end, field.valueStart + SUBJECT_CHARS));
  return recogniseBySubject(structure, raw.replace(/\r\n(?=[ \t])/g, ''));
}

/** The same where the header has to be looked for its Subject; '' finds what the parts alone tell. */
export function recogniseBySubject(
  structure: MessageStructure,
  subject: string,
): RecognisedReport | undefined {
  const found = findReport(structure, subject);
  return found && { found, hint: hintedDomain(found, subject) };
}

/** Reads reports one after the other, apart from all else. */
export function createIntake(parts: IntakeParts): ReportIntake {
  const waiting: { report: RecognisedReport; arrived: ArrivedReport }[] = [];
  let work: Promise<void> | undefined;
  let stopped = false;

  async function run(): Promise<void> {
    for (;;) {
      const next = stopped ? undefined : waiting.shift();
      if (next === undefined) return;
      const taking = await takingOf(parts, next.report, next.arrived);
      if (taking !== undefined) await now(parts, taking);
    }
  }

  return {
    take(report, arrived) {
      if (stopped || waiting.length >= WAITING_MAX) {
        parts.metrics.received(report.found.kind, 'postponed');
        return;
      }
      waiting.push({ report, arrived });
      work ??= run().finally(() => {
        work = undefined;
      });
    },
    now: (taking) => now(parts, taking),
    async idle() {
      await work;
    },
    async stop() {
      stopped = true;
      await work;
    },
  };
}

/** Undefined when the message is gone already. Never rejects. */
async function takingOf(
  { store, logger }: IntakeParts,
  report: RecognisedReport,
  { recipients, receivedAt, evidence, stored }: ArrivedReport,
): Promise<Taking | undefined> {
  try {
    const blobId = await store.read.run('reports.blobOf', stored);
    if (blobId === undefined) return undefined;
    return { report, recipients, receivedAt, reporter: reporterOf(evidence), blobId };
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'reports: one could not be read, will try again tomorrow');
    return undefined;
  }
}

async function now(parts: IntakeParts, taking: Taking): Promise<boolean> {
  const { kind } = taking.report.found;
  try {
    parts.metrics.received(kind, await takeReport(parts, taking));
  } catch (error) {
    const problem = error instanceof ReportProblem ? error.kind : 'failed';
    parts.metrics.received(kind, problem);
    const from = taking.reporter.domain;
    parts.logger.warn({ kind, problem, from, error: errorText(error) }, 'reports: one could not be read');
    return problem !== 'failed';
  }
  return true;
}
