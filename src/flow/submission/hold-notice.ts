import { randomToken, timeId } from '../../base/ids.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import { terms } from '../../data/journal/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import { encodeWords, foldField, formatAddress, formatDate } from '../../mail/message/build.ts';
import { MessageScanner } from '../../mail/message/scanner.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob, parsedContent } from '../intake.ts';
import { deliveryFields } from '../trace-header.ts';

/** Characters of a line of text. */
const LINE = 72;

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

interface Recipient {
  readonly accountId: number;
  readonly address: string;
}

type Accept = WriteArgs<'delivery.accept'>;

/** A mail to the owner and one to those who can release it, ready to be deposited. */
export async function holdNotices(deps: FlowDeps, facts: HoldFacts): Promise<Accept[]> {
  const owner = { accountId: facts.accountId, address: facts.address };
  const administrators = await responsible(deps, facts.address);
  const notices = [notice(deps, facts, [owner], ownerText(deps, facts))];
  if (administrators.length > 0) {
    notices.push(notice(deps, facts, administrators, administratorText(deps, facts)));
  }
  return notices;
}

/** The administrators, or whoever reads postmaster@ where there is none. */
async function responsible(deps: FlowDeps, address: string): Promise<Recipient[]> {
  const { read } = deps.store;
  const accounts = await read.run('directory.accounts', {});
  const found = accounts.filter(({ role, status }) => role === 'admin' && status === 'active');
  if (found.length > 0) return found.map(({ id, address: own }) => ({ accountId: id, address: own }));
  const resolved = await read.run('directory.resolve', {
    localPart: 'postmaster',
    domain: destinationOf(address),
    delimiter: deps.settings.delimiter,
    size: 0,
  });
  if (resolved.status !== 'ok') return [];
  return resolved.targets.flatMap((target) => (target.kind === 'account' ? [target] : []));
}

interface Text {
  readonly subject: string;
  /** Each is wrapped by itself; commands to copy, indented, are not. */
  readonly paragraphs: readonly string[];
}

function ownerText(deps: FlowDeps, { address, reason, what, trace }: HoldFacts): Text {
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

function administratorText(deps: FlowDeps, { address, reason, what, trace }: HoldFacts): Text {
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

/** Lines of a paragraph, broken between words; a word that is longer has a line of its own. */
function wrap(paragraph: string): string[] {
  if (paragraph.startsWith(' ')) return [paragraph];
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > LINE) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function timeWords({ clock }: FlowDeps): string {
  const text = new Date(clock.now()).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

function notice(deps: FlowDeps, facts: HoldFacts, to: readonly Recipient[], text: Text): Accept {
  const domain = destinationOf(facts.address);
  const at = deps.clock.now();
  const trace = timeId(at);
  const header = [
    foldField('From', formatAddress('Mail server', `postmaster@${domain}`)),
    foldField('To', to.map(({ address }) => address).join(', ')),
    foldField('Subject', encodeWords(text.subject)),
    foldField('Date', formatDate(at)),
    foldField('Message-ID', `<${randomToken(24)}@${domain}>`),
    // RFC 3834 section 5: no vacation notice may answer it.
    foldField('Auto-Submitted', 'auto-generated'),
    foldField('MIME-Version', '1.0'),
    foldField('Content-Type', 'text/plain; charset=utf-8'),
    foldField('Content-Transfer-Encoding', '8bit'),
  ].join('');
  const bytes = Buffer.from(
    `${header}\r\n${text.paragraphs
      .flatMap(wrap)
      .map((line) => `${line}\r\n`)
      .join('')}`,
  );
  const scanner = new MessageScanner();
  scanner.push(bytes);
  const structure = scanner.end();
  return {
    blob: inlineBlob(bytes),
    content: parsedContent(structure, bytes.subarray(0, structure.root.bodyStart)),
    deposits: to.map(({ accountId, address }) => ({
      accountId,
      mailbox: { name: 'INBOX' },
      prefix: Buffer.from(deliveryFields('', address)),
      hidden: [],
      set: { flags: 0, keywords: [] },
      receivedAt: at,
      trace,
      // A full mailbox is no reason not to hear of it.
      ignoreQuota: true,
    })),
    overQuota: 'report',
    queue: [],
    events: [],
    depositEvents: to.map(({ address }) => depositEvent(trace, at, address)),
  };
}

function depositEvent(trace: string, at: number, account: string): JournalEvent {
  const data = { account, recipients: [account], via: [], mailbox: 'INBOX' };
  return { trace, at, kind: 'message.deposited', data, terms: [terms.address(account)] };
}
