import { timeId } from '../../base/ids.ts';
import { parsePath } from '../../mail/address/path.ts';
import type { FlowDeps } from '../deps.ts';
import { recordRefusal, recordServerRefusal } from '../journal.ts';
import { maySendAs } from '../ownership.ts';
import { replies } from '../replies.ts';
import { requireRoom } from '../room.ts';
import type { MailParams, MailService, MailTransaction, SessionFacts, SessionLogin } from '../service.ts';
import type { HourlyCounts } from './hourly.ts';
import type { OutgoingWatch } from './outgoing.ts';
import { type SubmissionContext, SubmissionTransaction } from './transaction.ts';

/** Mail from our own users (587, 465; RFC 6409): any recipient, but only under addresses of their own. */
export function createSubmission(
  deps: () => FlowDeps,
  hourly: HourlyCounts,
  outgoing?: OutgoingWatch,
): MailService {
  return {
    protocol: 'submission',
    takesLater: true,
    async connect() {
      // Limits by address and in all are the listener's.
    },
    async mail(session, path, params) {
      const current = deps();
      try {
        return await open({ deps: current, hourly, outgoing }, session, path, params);
      } catch (error) {
        recordRefusal(current, session, 'mail.refused', error, { from: path.slice(0, 500) }, [path]);
        throw error;
      }
    },
    end(session, reason) {
      const current = deps();
      if (session.login === undefined) return;
      current.logger.debug(
        { session: session.id, account: session.login.address, reason },
        'submission: session ended',
      );
    },
    refused(session, what) {
      recordServerRefusal(deps(), session, what);
    },
  };
}

async function open(
  { deps, hourly, outgoing }: Pick<SubmissionContext, 'deps' | 'hourly' | 'outgoing'>,
  session: SessionFacts,
  path: string,
  params: MailParams,
): Promise<MailTransaction> {
  const login = session.login;
  if (login === undefined) throw replies.loginRequired();
  requireRoom(deps);
  await requireOwned(deps, login, path, params.smtputf8);
  const account = await deps.store.read.run('directory.account', { id: login.accountId });
  const { messages, minutesToWait } = hourly.used(login.accountId);
  const { messagesPerHour } = deps.settings;
  if (messages >= messagesPerHour) throw replies.hourlyLimit('messages', messagesPerHour, minutesToWait);
  const recipientsPerHour = account?.recipientsPerHour ?? deps.settings.recipientsPerHour;
  return new SubmissionTransaction({
    deps,
    hourly,
    outgoing,
    session,
    login,
    reversePath: path,
    params,
    messagesPerHour,
    recipientsPerHour,
    displayName: account?.displayName ?? '',
    trace: timeId(deps.clock.now()),
  });
}

/** The null reverse-path is anybody's: receipts and other notices are sent under it (RFC 5321 4.5.5). */
async function requireOwned(
  deps: FlowDeps,
  login: SessionLogin,
  path: string,
  smtputf8: boolean,
): Promise<void> {
  const sender = parsePath(path, { smtputf8 });
  if (sender.kind === 'null') return;
  if (sender.kind === 'error') {
    throw sender.problem === 'needs-smtputf8'
      ? replies.needsSmtpUtf8()
      : replies.badReversePath(sender.reason);
  }
  if (sender.kind === 'postmaster') throw replies.badReversePath('it has no domain');
  if (!(await maySendAs(deps, login, sender))) throw replies.notOwned(path, login.address);
}
