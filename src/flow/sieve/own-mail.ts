import { randomToken, timeId } from '../../base/ids.ts';
import type { NewOutgoing } from '../../data/queue/types.ts';
import { isAscii } from '../../mail/address/domain.ts';
import { encodeWords, foldField, formatDate } from '../../mail/message/build.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { queueTimes } from '../outbound/enqueue.ts';
import { hashed, signMessage } from '../outbound/sign.ts';

/** Mail that is sent in the name of an account by its scripts: signed, with the null reverse-path (RFC 3834 3.3). */
export interface OwnMail {
  readonly trace: string;
  readonly accountId: number;
  /** Domain of ours to sign for. */
  readonly domain: string;
  readonly to: string;
  readonly octets: Buffer;
}

export async function ownMail(deps: FlowDeps, mail: OwnMail): Promise<NewOutgoing> {
  const { trace, accountId, domain, to, octets } = mail;
  const { header, bodyHash } = hashed(octets);
  const { fields } = await signMessage(deps, [domain], header, bodyHash);
  const local = await deps.store.read.run('directory.domain', { name: destinationOf(to) });
  return {
    blob: inlineBlob(octets),
    enqueue: {
      queueId: timeId(deps.clock.now()),
      trace,
      origin: 'dsn',
      accountId,
      reversePath: '',
      mayBounce: false,
      prefix: fields,
      hidden: [],
      ret: undefined,
      envid: undefined,
      body: isAscii(octets.toString('latin1')) ? '7BIT' : '8BITMIME',
      smtputf8: !isAscii(to) || !isAscii(header.toString('latin1')),
      requireTls: false,
      originated: true,
      messageId: undefined,
      size: octets.length + fields.length,
      ...queueTimes(deps),
      // Held mail is mail to others.
      holdReason: local === undefined ? deps.settings.holdOutgoing : undefined,
      recipients: [{ address: to, destination: destinationOf(to), orcpt: undefined, notify: 'NEVER' }],
    },
  };
}

export interface OwnMailText {
  /** As they stand in the fields: encoded where they have to be. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly domain: string;
  /** Lines of "Name: value" that make it what it is (Auto-Submitted, References). */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  /** `text` is a MIME entity with its own header (RFC 5230 4.3). */
  readonly mime: boolean;
}

/** The octets of such a mail. */
export function composeMail(now: number, mail: OwnMailText): Buffer {
  const { from, to, subject, domain, fields, text, mime } = mail;
  const header = [
    foldField('From', from),
    foldField('To', to),
    foldField('Subject', encodeWords(subject)),
    foldField('Date', formatDate(now)),
    foldField('Message-ID', `<${randomToken(24)}@${domain}>`),
    ...fields.map(([name, value]) => foldField(name, value)),
    foldField('MIME-Version', '1.0'),
  ].join('');
  const body = crlf(text);
  if (mime) return Buffer.from(header + entity(body));
  return Buffer.from(
    `${header}${foldField('Content-Type', 'text/plain; charset=utf-8')}${foldField('Content-Transfer-Encoding', '8bit')}\r\n${body}`,
  );
}

function crlf(text: string): string {
  const lines = text
    .toWellFormed()
    .replaceAll('\0', '')
    .split(/\r\n|\r|\n/);
  return `${lines.join('\r\n').trimEnd()}\r\n`;
}

/** Only what describes the content: a script must not add recipients or senders here. */
function entity(text: string): string {
  const end = text.startsWith('\r\n') ? 0 : text.indexOf('\r\n\r\n');
  if (end < 0) return `\r\n${text}`;
  const head = text.slice(0, end);
  const fields = head.split(/\r\n(?![ \t])/).filter((field) => /^content-[a-z-]+[ \t]*:/i.test(field));
  return `${fields.map((field) => `${field}\r\n`).join('')}${end === 0 ? '' : '\r\n'}${text.slice(end + 2)}`;
}
