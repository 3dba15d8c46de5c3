import type { WriteArgs } from '../../data/store.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { noticeMail, type NoticeText } from '../notice-mail.ts';
import { responsible } from '../responsible.ts';

/** What is held, and why: the words for those who have to know. */
export interface HoldFacts {
  readonly accountId: number;
  readonly address: string;
  /** Of the message that led to it. */
  readonly trace: string;
  readonly reason: string;
  /** Everything the account sends, or this one message. */
  readonly what: 'account' | 'message';
}

type Accept = WriteArgs<'delivery.accept'>;

/** A mail to the owner and one to those who can release it, ready to be deposited. */
export async function holdNotices(deps: FlowDeps, facts: HoldFacts): Promise<Accept[]> {
  const owner = { accountId: facts.accountId, address: facts.address };
  const administrators = await responsible(deps, domainOf(facts));
  const notices = [noticeMail(deps, domainOf(facts), [owner], ownerText(deps, facts))];
  if (administrators.length > 0) {
    notices.push(noticeMail(deps, domainOf(facts), administrators, administratorText(deps, facts)));
  }
  return notices;
}

function ownerText(deps: FlowDeps, { address, reason, what, trace }: HoldFacts): NoticeText {
  const since = timeWords(deps);
  const administrator = `postmaster@${destinationOf(address)}`;
  const ofAccount = what === 'account';
  const meanwhile = ofAccount
    ? ' What you send meanwhile waits with the rest, and mail still comes in.'
    : ' Your other mail is not affected.';
  return {
    subject: ofAccount ? 'Your outgoing mail is held' : 'A message of yours is held',
    paragraphs: [
      ofAccount
        ? `Since ${since} the mail server keeps back what is sent from ${address}, because ${reason}.`
        : `At ${since} the mail server kept back a message sent from ${address}, because ${reason}. Its id is ${trace}.`,
      '',
      `If you sent this: nothing is lost. Ask your administrator (${administrator}) to release it; an answer to this mail goes there.${meanwhile}`,
      '',
      'If you did not send this: somebody knows your password. Tell your administrator now, by telephone if you can. You need a new password, and what was sent in your name can be thrown away.',
    ],
  };
}

function administratorText(deps: FlowDeps, { address, reason, what, trace }: HoldFacts): NoticeText {
  const since = timeWords(deps);
  const ofAccount = what === 'account';
  return {
    subject: ofAccount ? `Outgoing mail of ${address} is held` : `A message of ${address} is held`,
    paragraphs: [
      ofAccount
        ? `Since ${since} everything that ${address} sends is held, because ${reason}. It is accepted and waits in the queue; it neither expires nor bounces. The owner was told and can still sign in.`
        : `At ${since} a message of ${address} was held, because ${reason}. The owner was told.`,
      '',
      'What waits:',
      '    postern hold list',
      'What happened:',
      `    postern trace ${trace}`,
      'It was the person, send it:',
      ofAccount ? `    postern hold release ${address}` : `    postern queue release ${trace}`,
      'The password is stolen: set a new one, which ends all sessions, and throw away what was sent with the old one:',
      `    postern account passwd ${address}`,
      `    postern hold release ${address} --drop`,
    ],
  };
}

function timeWords({ clock }: FlowDeps): string {
  const text = new Date(clock.now()).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

function domainOf({ address }: HoldFacts): string {
  return destinationOf(address);
}
