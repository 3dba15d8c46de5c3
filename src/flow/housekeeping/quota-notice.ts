import type { FillingAccount } from '../../data/housekeeping/housekeeping.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { FlowDeps } from '../deps.ts';
import { noticeMail, type NoticeText } from '../notice-mail.ts';
import { responsible } from '../responsible.ts';

/** Words for those whose mailbox fills, and for those who can give it more room. */
export async function quotaNotices(
  deps: FlowDeps,
  account: FillingAccount,
  percent: number,
): Promise<WriteArgs<'delivery.accept'>[]> {
  const { accountId, address } = account;
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const others = (await responsible(deps, domain)).filter((each) => each.accountId !== accountId);
  const owner = noticeMail(deps, domain, [{ accountId, address }], ownerText(account, percent, domain));
  if (others.length === 0) return [owner];
  return [owner, noticeMail(deps, domain, others, administratorText(account, percent))];
}

const MB = 1_000_000;
const KB = 1000;

function usage({ used, quota }: FillingAccount): string {
  const [unit, name] = quota < 10 * MB ? [KB, 'kB'] : [MB, 'MB'];
  return `${Math.round(used / unit)} of ${Math.round(quota / unit)} ${name} (${Math.floor((used * 100) / quota)} %)`;
}

function ownerText(account: FillingAccount, percent: number, domain: string): NoticeText {
  const full = account.used >= account.quota;
  return {
    subject: full ? 'Your mailbox is full' : `Your mailbox is over ${percent} % full`,
    paragraphs: [
      `${account.address} uses ${usage(account)} of its room.`,
      '',
      full
        ? 'Mail to you is put off now: its senders try again for some days, then it goes back to them.'
        : 'When it is full, mail to you is put off: its senders try again for some days, then it goes back to them.',
      '',
      'To make room, delete what you need no longer, the largest messages first, and then empty Trash: what lies there counts too.',
      '',
      `If you need more room, ask your administrator (postmaster@${domain}); an answer to this mail goes there.`,
    ],
  };
}

function administratorText(account: FillingAccount, percent: number): NoticeText {
  return {
    subject: `The mailbox of ${account.address} is over ${percent} % full`,
    paragraphs: [
      `${account.address} uses ${usage(account)} of its quota. The owner was told. At 100 % new mail for it gets 452 4.2.2.`,
      '',
      'To give it more room:',
      `    postern account quota ${account.address} SIZE`,
    ],
  };
}
