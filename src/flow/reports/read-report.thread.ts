import { parentPort, workerData } from 'node:worker_threads';
import { errorText } from '../../base/errors.ts';
import { createDmarcReader } from '../../mail/reports/dmarc-parse.ts';
import type { DmarcRecord, DmarcReportHead } from '../../mail/reports/dmarc-types.ts';
import { ReportProblem, type ReportProblemKind } from '../../mail/reports/problem.ts';
import { parseTlsReport } from '../../mail/reports/tls-report.ts';
import type { TlsPolicyReport, TlsReport } from '../../mail/reports/tls-types.ts';
import { unpack } from '../../mail/reports/unpack.ts';

/** Records in one message: what the other side does with it takes well under a millisecond. */
const BATCH = 100;

export interface ReadRequest {
  readonly kind: 'dmarc' | 'tls';
  readonly packed: Uint8Array;
}

export type ReadAnswer =
  | { readonly type: 'dmarc'; readonly head: DmarcReportHead; readonly damaged: number }
  | { readonly type: 'records'; readonly records: readonly DmarcRecord[] }
  | { readonly type: 'tls'; readonly head: Omit<TlsReport, 'policies'> }
  | { readonly type: 'policy'; readonly policy: TlsPolicyReport }
  | { readonly type: 'end' }
  | { readonly type: 'problem'; readonly kind: ReportProblemKind; readonly message: string };

async function read({ kind, packed }: ReadRequest): Promise<void> {
  const octets = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  if (kind === 'dmarc') await readDmarc(octets);
  else await readTls(octets);
  tell({ type: 'end' });
}

async function readDmarc(octets: Buffer): Promise<void> {
  const reader = createDmarcReader();
  for await (const piece of unpack(octets)) reader.push(piece);
  const { records, damaged, ...head } = reader.end();
  tell({ type: 'dmarc', head, damaged });
  for (let at = 0; at < records.length; at += BATCH)
    tell({ type: 'records', records: records.slice(at, at + BATCH) });
}

async function readTls(octets: Buffer): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of unpack(octets)) pieces.push(piece);
  const { policies, ...head } = parseTlsReport(Buffer.concat(pieces));
  tell({ type: 'tls', head });
  for (const policy of policies) tell({ type: 'policy', policy });
}

function tell(answer: ReadAnswer): void {
  parentPort?.postMessage(answer);
}

try {
  await read(workerData as ReadRequest);
} catch (error) {
  const kind = error instanceof ReportProblem ? error.kind : 'broken';
  tell({ type: 'problem', kind, message: errorText(error) });
}
