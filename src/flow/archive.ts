import { createHmac, timingSafeEqual } from 'node:crypto';
import { timeId } from '../base/ids.ts';
import type { Enqueue } from '../data/queue/types.ts';
import { foldField } from '../mail/message/build.ts';
import { readHeader } from '../mail/message/headers.ts';
import { hiddenOctets } from './delivery/hidden.ts';
import { destinationOf, type PlannedRecipient } from './delivery/plan.ts';
import type { FlowDeps } from './deps.ts';
import type { TakenMessage } from './intake.ts';

/**
 * Copies of a domain's mail for its archive (journaling): queued in the commit that takes the mail, so that there is
 * neither without the other. They go out under the null reverse-path: nobody is told when the archive cannot be reached.
 */

const FIELD = 'X-Postern-Archive';

export interface ArchivedMail {
  readonly trace: string;
  readonly reversePath: string;
  readonly recipients: readonly PlannedRecipient[];
  readonly message: TakenMessage;
  /** As others get it: what stands before the stored octets, and what of them is not shown. */
  readonly prefix: Uint8Array;
  readonly hidden: Enqueue['hidden'];
  /** Whether an account of ours sent it; else it came from another host. */
  readonly outbound: boolean;
  /** What the next hop must be able to take, and when to give up. */
  readonly needs: (
    addresses: readonly string[],
  ) => Pick<Enqueue, 'body' | 'smtputf8' | 'warnAt' | 'expiresAt'>;
}

/** A copy for each archive that wants this message; none for most. */
export function archiveCopies(deps: FlowDeps, mail: ArchivedMail): Enqueue[] {
  const rules = deps.housekeeping?.settings().archive ?? {};
  if (Object.keys(rules).length === 0 || isCopy(deps, mail.message.header)) return [];
  const wanted = new Map<string, string>();
  for (const [domain, { address, direction }] of Object.entries(rules)) {
    const concerned =
      (direction !== 'outbound' && isFor(mail, domain, address)) ||
      (direction !== 'inbound' && isFrom(mail, domain, address));
    if (concerned && !wanted.has(address)) wanted.set(address, domain);
  }
  return [...wanted].map(([address, domain]) => copy(deps, mail, address, domain));
}

/** Somebody of the domain gets it who is not the archive. */
function isFor({ recipients }: ArchivedMail, domain: string, archive: string): boolean {
  const at = (address: string): boolean => destinationOf(address) === domain && !same(address, archive);
  return recipients.some(({ address, targets }) => {
    if (targets.length === 0 || same(address, archive)) return false;
    // Also by way of a domain that means this one.
    return (
      targets.some((target) => target.kind === 'account' && at(target.address)) ||
      (destinationOf(address) === domain &&
        targets.some((target) => target.via.length > 0 && !same(target.address, archive)))
    );
  });
}

function isFrom({ reversePath, outbound }: ArchivedMail, domain: string, archive: string): boolean {
  return outbound && destinationOf(reversePath) === domain && !same(reversePath, archive);
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function copy(deps: FlowDeps, mail: ArchivedMail, address: string, domain: string): Enqueue {
  const { trace, reversePath, recipients, message, hidden, outbound } = mail;
  const fields = [
    foldField(FIELD, `d=${domain}; t=${trace}; h=${mark(deps.settings.srsKeys[0], domain, trace)}`),
    foldField('X-Postern-Envelope-From', `<${reversePath}>`),
    foldField('X-Postern-Envelope-To', recipients.map((each) => `<${each.address}>`).join(', ')),
  ];
  const prefix = Buffer.concat([Buffer.from(fields.join('')), mail.prefix]);
  return {
    queueId: timeId(deps.clock.now()),
    trace,
    origin: 'forward',
    accountId: undefined,
    reversePath: '',
    mayBounce: false,
    prefix,
    hidden,
    ret: undefined,
    envid: undefined,
    ...mail.needs([address]),
    requireTls: false,
    originated: outbound,
    messageId: message.content.messageId,
    size: message.size + prefix.length - hiddenOctets(hidden),
    holdReason: deps.settings.holdOutgoing,
    recipients: [{ address, destination: destinationOf(address), orcpt: undefined, notify: 'NEVER' }],
  };
}

/** Only we can make it: a stranger must not keep a message from the archive by saying that it was there. */
function mark(key: Buffer | undefined, domain: string, trace: string): string {
  return createHmac('sha256', key ?? Buffer.alloc(32))
    .update(`archive\n${domain}\n${trace}`)
    .digest('base64url');
}

/** Whether it is a copy that an archive has sent back. */
function isCopy({ settings }: FlowDeps, header: Buffer): boolean {
  return readHeader(header)
    .all(FIELD.toLowerCase())
    .slice(0, 5)
    .some((value) => {
      const found = /^\s*d=([^;\s]+);\s*t=([^;\s]+);\s*h=([\w-]{43})\s*$/.exec(value);
      if (found === null) return false;
      const [, domain = '', trace = '', given = ''] = found;
      return settings.srsKeys.some((key) =>
        timingSafeEqual(Buffer.from(mark(key, domain, trace)), Buffer.from(given)),
      );
    });
}
