import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import { spawnThread } from '../../base/threads.ts';
import type { DmarcRecord, DmarcReport, DmarcReportHead } from '../../mail/reports/dmarc-types.ts';
import { ReportProblem } from '../../mail/reports/problem.ts';
import type { TlsPolicyReport, TlsReport } from '../../mail/reports/tls-types.ts';
import type { ReadAnswer, ReadRequest } from './read-report.thread.ts';

/** Milliseconds a report may take; the largest that are allowed take three seconds of a slow processor. */
const TIMEOUT_MS = 60_000;
/** MiB of JavaScript values in the thread: 50,000 rows take a hundred. */
const HEAP_MIB = 256;

export type PackedReport =
  | { readonly kind: 'dmarc'; readonly report: DmarcReport }
  | { readonly kind: 'tls'; readonly report: TlsReport };

/** What has come of a report so far. */
interface Parts {
  dmarc: { head: DmarcReportHead; damaged: number } | undefined;
  readonly records: DmarcRecord[];
  tls: Omit<TlsReport, 'policies'> | undefined;
  readonly policies: TlsPolicyReport[];
}

/**
 * Unpack and read the octets of a report, in a thread of its own with a heap and a time of its own: whatever is in it,
 * nothing else waits for it or suffers with it. `packed` must not be used afterwards. Reports come a few a day, so the thread ends with each. Rejects with
 * ReportProblem.
 */
export function readPacked(kind: 'dmarc' | 'tls', packed: Buffer, clock: Clock): Promise<PackedReport> {
  const request: ReadRequest = { kind, packed };
  const worker = spawnThread(import.meta.url, './read-report.thread', {
    name: 'reports',
    workerData: request,
    transferList: ownMemory(packed),
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  const parts: Parts = { dmarc: undefined, records: [], tls: undefined, policies: [] };
  return new Promise<PackedReport>((resolve, reject) => {
    const timer = clock.setTimer(TIMEOUT_MS, () =>
      reject(new ReportProblem('too-slow', `reading it took more than ${TIMEOUT_MS / 1000} s`)),
    );
    worker.on('message', (answer: ReadAnswer) => {
      const report = addTo(parts, answer);
      if (report instanceof ReportProblem) reject(report);
      else if (report !== undefined) resolve(report);
      if (report !== undefined) timer.cancel();
    });
    worker.on('error', (error) => {
      timer.cancel();
      const full = errnoCode(error) === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(new ReportProblem(full ? 'bomb' : 'broken', errorText(error)));
    });
    worker.on('exit', () => {
      timer.cancel();
      reject(new ReportProblem('broken', 'its reader ended'));
    });
  }).finally(() => worker.terminate());
}

/** Large octets are handed over instead of copied; small ones share their memory with others. */
function ownMemory({ buffer, length }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === length ? [buffer] : [];
}

function addTo(parts: Parts, answer: ReadAnswer): PackedReport | ReportProblem | undefined {
  switch (answer.type) {
    case 'dmarc':
      parts.dmarc = answer;
      return undefined;
    case 'records':
      parts.records.push(...answer.records);
      return undefined;
    case 'tls':
      parts.tls = answer.head;
      return undefined;
    case 'policy':
      parts.policies.push(answer.policy);
      return undefined;
    case 'problem':
      return new ReportProblem(answer.kind, answer.message);
    case 'end':
      return finished(parts);
  }
}

function finished({ dmarc, records, tls, policies }: Parts): PackedReport | ReportProblem {
  if (dmarc !== undefined)
    return { kind: 'dmarc', report: { ...dmarc.head, records, damaged: dmarc.damaged } };
  if (tls !== undefined) return { kind: 'tls', report: { ...tls, policies } };
  return new ReportProblem('broken', 'its reader said nothing');
}
