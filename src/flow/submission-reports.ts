import { errorText } from '../base/errors.ts';
import type { Reported, SubmissionReport } from '../data/jmap/submissions.ts';
import { contentReader, slicePieces } from '../data/mailstore/content-reader.ts';
import type { Deposit, DepositResult, ParsedContent } from '../data/mailstore/types.ts';
import { parseDsn, parseMdn } from '../mail/dsn/parse.ts';
import type { DsnAction } from '../mail/dsn/types.ts';
import type { FlowDeps } from './deps.ts';

/**
 * Notifications of delivery and of reading that arrive are kept with the submission by JMAP that they are about (RFC 8621
 * section 7). What they say is their sender's word: it fills in what nobody here knows, and nothing else.
 */

/** Octets of a structure in which the type of a report is looked for, and of a message in which the report is. */
const STRUCTURE_OCTETS = 16 * 1024;
const REPORT_OCTETS = 256 * 1024;

/** Whether a message may be a notification, by its structure alone: asked of every message. */
function kindOf({
  bodystructure,
}: Pick<ParsedContent, 'bodystructure'>): SubmissionReport['kind'] | undefined {
  const { buffer, byteOffset, byteLength } = bodystructure;
  const text = Buffer.from(buffer, byteOffset, Math.min(byteLength, STRUCTURE_OCTETS)).toString('latin1');
  if (/"delivery-status"/i.test(text)) return 'dsn';
  return /"disposition-notification"/i.test(text) ? 'mdn' : undefined;
}

/** After the commit; returns at once. */
export function noteReports(
  deps: Pick<FlowDeps, 'store' | 'logger'>,
  content: Pick<ParsedContent, 'bodystructure'>,
  deposits: readonly Pick<Deposit, 'accountId'>[],
  results: readonly DepositResult[],
): void {
  const kind = kindOf(content);
  if (kind === undefined) return;
  results.forEach((result, i) => {
    const accountId = deposits[i]?.accountId;
    if (result.status !== 'stored' || accountId === undefined) return;
    note(deps, kind, accountId, result.emailId).catch((error: unknown) =>
      deps.logger.warn({ error: errorText(error) }, 'jmap: a notification could not be read'),
    );
  });
}

async function note(
  { store }: Pick<FlowDeps, 'store'>,
  kind: SubmissionReport['kind'],
  accountId: number,
  emailId: number,
): Promise<void> {
  const ref = await store.read.run('mailstore.content', { accountId, emailId });
  if (ref === undefined) return;
  const content = contentReader(store.blobs, ref);
  const octets = await content.bytes(slicePieces(content.stored(0, REPORT_OCTETS), 0, REPORT_OCTETS));
  const read = kind === 'dsn' ? readDsn(octets) : readMdn(octets);
  const messageId = read?.messageId?.trim().replace(/^<|>$/g, '');
  if (read === undefined || messageId === undefined || messageId === '') return;
  await store.write.run('jmap.noteReport', {
    accountId,
    messageId,
    kind,
    emailId,
    recipients: read.recipients,
  });
}

interface Read {
  readonly messageId: string | undefined;
  readonly recipients: readonly Reported[];
}

/** Recipients of one report that are kept. */
const RECIPIENTS = 100;

const DELIVERED: Readonly<Partial<Record<DsnAction, Reported['delivered']>>> = {
  failed: 'no',
  delayed: 'queued',
  delivered: 'yes',
};

function readDsn(octets: Buffer): Read | undefined {
  const dsn = parseDsn(octets);
  return (
    dsn && {
      messageId: dsn.originalMessageId,
      recipients: dsn.recipients.slice(0, RECIPIENTS).map(({ originalRecipient, finalRecipient, action }) => {
        const delivered = DELIVERED[action];
        return {
          address: originalRecipient ?? finalRecipient,
          ...(delivered !== undefined && { delivered }),
        };
      }),
    }
  );
}

function readMdn(octets: Buffer): Read | undefined {
  const mdn = parseMdn(octets);
  if (mdn === undefined) return undefined;
  const address = mdn.originalRecipient ?? mdn.finalRecipient;
  return {
    messageId: mdn.originalMessageId,
    recipients: address === undefined ? [] : [{ address, displayed: mdn.displayed }],
  };
}
