import { timeId } from '../../base/ids.ts';
import { parsePath } from '../../mail/address/path.ts';
import type { FlowDeps } from '../deps.ts';
import { recordRefusal, recordServerRefusal } from '../journal.ts';
import { replies } from '../replies.ts';
import { requireRoom } from '../room.ts';
import type { MailParams, MailService, MailTransaction, SessionFacts } from '../service.ts';
import { openGate } from './gate/envelope.ts';
import type { Gate } from './gate/gate.ts';
import { InboundTransaction } from './transaction.ts';

/** Mail from other hosts (port 25) and from programs beside us (LMTP): for our recipients only. */
export function createInbound(deps: () => FlowDeps, protocol: 'smtp' | 'lmtp', gate?: Gate): MailService {
  return {
    protocol,
    async connect(session) {
      // Limits by address and in all are the listener's; lists of addresses are the gate's.
      try {
        return await gate?.connect(session);
      } catch (error) {
        recordRefusal(deps(), session, 'connection.refused', error, { stage: 'connect' }, []);
        throw error;
      }
    },
    hello: (session) => gate?.hello(session),
    async mail(session, path, params) {
      const current = deps();
      try {
        return await open(current, session, path, params, gate);
      } catch (error) {
        recordRefusal(current, session, 'mail.refused', error, { from: path.slice(0, 500) }, [path]);
        throw error;
      }
    },
    end() {
      // A session that carried mail is told by its messages; one that was refused by its refusals.
    },
    refused(session, what) {
      recordServerRefusal(deps(), session, what);
    },
  };
}

async function open(
  deps: FlowDeps,
  session: SessionFacts,
  path: string,
  params: MailParams,
  gate: Gate | undefined,
): Promise<MailTransaction> {
  requireRoom(deps);
  // Senders' bounce addresses are often longer than the 64 octets of RFC 5321 4.5.3.1.1; refusing them loses real mail.
  const sender = parsePath(path, { smtputf8: params.smtputf8, maxLocalPartOctets: 254 });
  if (sender.kind === 'error') {
    throw sender.problem === 'needs-smtputf8'
      ? replies.needsSmtpUtf8()
      : replies.badReversePath(sender.reason);
  }
  if (sender.kind === 'postmaster') throw replies.badReversePath('it has no domain');
  const envelopeGate = (await gate?.mail(session, path)) ?? openGate;
  return new InboundTransaction({
    deps,
    session,
    reversePath: path,
    params,
    trace: timeId(deps.clock.now()),
    envelopeGate,
  });
}
