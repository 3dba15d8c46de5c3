import type { FillingAccount, UsedMailbox } from '../../data/housekeeping/housekeeping.ts';
import type { UidRange } from '../../data/mailstore/types.ts';
import type { FlowDeps } from '../deps.ts';
import { quotaNotices } from './quota-notice.ts';
import type { HousekeepingSettings } from './settings.ts';

/** What is done every now and then: Trash and Junk empty themselves, full mailboxes are told of. */

const DAY_MS = 86_400_000;
/** Rows of one read. */
const PAGE = 500;
/** Messages expunged in one write: others wait while it runs. */
const BATCH = 500;

const KINDS = [
  { specialUse: '\\Trash', name: 'Trash', days: 'trash_days' },
  { specialUse: '\\Junk', name: 'Junk', days: 'junk_days' },
] as const;

/**
 * Expunge what came into Trash and Junk too long ago. It stays undeletable for as long as any deleted mail does.
 * `onExpired` is told of each batch.
 */
export async function expireMail(
  deps: FlowDeps,
  onExpired: (mailbox: 'Trash' | 'Junk', messages: number) => void = () => undefined,
): Promise<void> {
  const settings = deps.housekeeping?.settings();
  if (settings === undefined) return;
  for (const { specialUse, name, days } of KINDS) {
    for (let after = 0, more = true; more; ) {
      const page = await deps.store.read.run('housekeeping.mailboxes', { specialUse, after, limit: PAGE });
      for (const mailbox of page) {
        const kept = daysOf(settings, mailbox.address, days);
        if (kept === 0) continue;
        const gone = await expire(deps, mailbox, deps.clock.now() - kept * DAY_MS);
        if (gone > 0) onExpired(name, gone);
      }
      after = page.at(-1)?.id ?? after;
      more = page.length >= PAGE;
    }
  }
}

/** What holds for one account: its own wish, else the site's. */
export function daysOf(
  settings: HousekeepingSettings,
  address: string,
  name: 'trash_days' | 'junk_days',
): number {
  const own = Object.hasOwn(settings.accounts, address) ? settings.accounts[address] : undefined;
  return own?.[name] ?? settings[name];
}

async function expire(deps: FlowDeps, { id, accountId }: UsedMailbox, before: number): Promise<number> {
  const { read, write } = deps.store;
  for (let gone = 0; ; ) {
    const uids = await read.run('housekeeping.savedBefore', { mailboxId: id, before, limit: BATCH });
    if (uids.length === 0) return gone;
    const ranges = rangesOf(uids);
    await write.run('mailstore.expunge', { accountId, mailboxId: id, ranges, anyFlag: true });
    gone += uids.length;
  }
}

/** Ascending numbers as ranges. */
function rangesOf(uids: readonly number[]): UidRange[] {
  const ranges: { from: number; to: number }[] = [];
  for (const uid of uids) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === uid) last.to = uid;
    else ranges.push({ from: uid, to: uid });
  }
  return ranges;
}

/** Tell owners and administrators of quotas that fill: once when a mark is passed, again only after it was below it. */
export async function tellQuotas(
  deps: FlowDeps,
  onTold: (percent: number) => void = () => undefined,
): Promise<void> {
  const quota = deps.housekeeping?.settings().quota;
  if (quota?.tell !== true) return;
  const marks = [quota.warn_percent, quota.urgent_percent].toSorted((a, b) => a - b);
  const percent = marks[0] ?? 100;
  for (let after = 0, more = true; more; ) {
    const page = await deps.store.read.run('housekeeping.filling', { percent, after, limit: PAGE });
    for (const account of page) await tellOne(deps, account, marks, onTold);
    after = page.at(-1)?.accountId ?? after;
    more = page.length >= PAGE;
  }
}

/** Percent by which use has to fall below a mark before passing it again is news. */
const SLACK = 2;

async function tellOne(
  deps: FlowDeps,
  account: FillingAccount,
  marks: readonly number[],
  onTold: (percent: number) => void,
): Promise<void> {
  const { accountId, told } = account;
  const used = account.quota > 0 ? (account.used * 100) / account.quota : 0;
  const passed = marks.findLast((mark) => used >= mark);
  const rises = passed !== undefined && passed > (told ?? 0);
  // A little below the mark is still at it, or every message to and fro would be told of.
  const holds = told !== undefined && used >= told - SLACK;
  const now = rises ? passed : holds ? told : passed;
  if (now === told) return;
  const notices = rises ? await quotaNotices(deps, account, passed) : [];
  const { done } = await deps.store.write.run('housekeeping.tellQuota', {
    accountId,
    before: told,
    percent: now,
    notices,
  });
  if (done && rises) onTold(passed);
}
