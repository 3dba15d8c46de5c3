import { randomToken, timeId } from '../base/ids.ts';
import { type JournalEvent, terms } from '../data/journal/types.ts';
import type { WriteArgs } from '../data/store.ts';
import { encodeWords, foldField, formatAddress, formatDate } from '../mail/message/build.ts';
import { MessageScanner } from '../mail/message/scanner.ts';
import type { MessageStructure } from '../mail/message/structure.ts';
import type { FlowDeps } from './deps.ts';
import { inlineBlob, parsedContent } from './intake.ts';
import { deliveryFields } from './trace-header.ts';

/** Mail of our own to people here who have to know something. */

/** Characters of a line of text. */
const LINE = 72;

export interface NoticeRecipient {
  readonly accountId: number;
  readonly address: string;
}

export interface NoticeText {
  readonly subject: string;
  /** Each is wrapped by itself; commands to copy, indented, are not. */
  readonly paragraphs: readonly string[];
}

type Accept = WriteArgs<'delivery.accept'>;

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

/** A mail from the postmaster of `domain`, ready to be deposited into the inboxes. */
export function noticeMail(
  deps: FlowDeps,
  domain: string,
  to: readonly NoticeRecipient[],
  text: NoticeText,
): Accept {
  const at = deps.clock.now();
  const trace = timeId(at);
  const addresses = to.map(({ address }) => address);
  const { bytes, content } = noticeContent(at, domain, addresses, text);
  return {
    blob: inlineBlob(bytes),
    content,
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

/** A mail of our own as it is sent. */
export interface NoticeContent {
  readonly bytes: Buffer;
  readonly content: Accept['content'];
  readonly structure: MessageStructure;
  readonly messageId: string;
}

export function noticeContent(
  at: number,
  domain: string,
  to: readonly string[],
  text: NoticeText,
): NoticeContent {
  const messageId = `${randomToken(24)}@${domain}`;
  const header = [
    foldField('From', formatAddress('Mail server', `postmaster@${domain}`)),
    foldField('To', to.join(', ')),
    foldField('Subject', encodeWords(text.subject)),
    foldField('Date', formatDate(at)),
    foldField('Message-ID', `<${messageId}>`),
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
  const content = parsedContent(structure, bytes.subarray(0, structure.root.bodyStart));
  return { bytes, content, structure, messageId };
}

function depositEvent(trace: string, at: number, account: string): JournalEvent {
  const data = { account, recipients: [account], via: [], mailbox: 'INBOX' };
  return { trace, at, kind: 'message.deposited', data, terms: [terms.address(account)] };
}
