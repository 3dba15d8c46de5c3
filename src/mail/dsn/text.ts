import { isUtf8 } from 'node:buffer';
import { adviceFor } from './advice.ts';
import { isReply, replyLines } from './diagnostic.ts';
import { oneLine, wrap } from './encode.ts';
import { parseFields } from './header.ts';
import type { DsnAction, DsnInput, DsnRecipient } from './types.ts';

/** Columns of the text; fits every mail program without wrapping again. */
const WIDTH = 72;

/** What is said above the addresses with each outcome, in the order in which a reader needs them. */
const HEADINGS: readonly (readonly [DsnAction, string])[] = [
  ['failed', 'It could not be delivered to:'],
  ['delayed', 'It has not been delivered yet to:'],
  ['delivered', 'It was delivered to:'],
  ['relayed', 'It was handed to a server that sends no delivery reports, for:'],
  ['expanded', 'It was passed on to all addresses behind:'],
];

/** Closing words for what was done about it and what is left to do. */
const CLOSINGS: readonly (readonly [DsnAction, string])[] = [
  [
    'failed',
    'Nothing more will be tried for the addresses that failed. If the message still matters, mend the cause and send it to them again.',
  ],
  [
    'delayed',
    'You need not do anything about the delayed addresses, and should not send the message again. You will hear from us if it cannot be delivered in the end.',
  ],
];

/** The part of a notification that a person reads: what happened, to whom, the remote's words, what to do next. */
export function humanText(input: DsnInput, header: Buffer, isFull: boolean): string {
  const lines = wrap(
    `This is the mail server at ${oneLine(input.reportingMta)}, about a message that you sent.`,
    WIDTH,
  );
  lines.push('', ...describeMessage(input, header));
  if (input.explanation !== undefined) lines.push('', ...wrap(oneLine(input.explanation), WIDTH));
  for (const [action, heading] of HEADINGS) {
    const concerned = input.recipients.filter((recipient) => recipient.action === action);
    if (concerned.length > 0) lines.push('', heading);
    for (const recipient of concerned) lines.push('', ...describeRecipient(recipient));
  }
  for (const [action, closing] of CLOSINGS) {
    if (input.recipients.some((recipient) => recipient.action === action))
      lines.push('', ...wrap(closing, WIDTH));
  }
  const attached = isFull ? 'your whole message' : 'the header of your message';
  lines.push('', ...wrap(`Attached: the same facts in a form for mail programs, and ${attached}.`, WIDTH));
  return `${lines.join('\r\n')}\r\n`;
}

/** Subject, date and Message-ID of the original: enough for its sender to find it. */
function describeMessage(input: DsnInput, header: Buffer): string[] {
  const fields = parseFields(header.toString(isUtf8(header) ? 'utf8' : 'latin1'));
  const raw = fields.get('subject');
  const subject = input.original.subject ?? (raw?.includes('=?') ? undefined : raw);
  const rows: [string, string | undefined][] = [
    ['Subject', subject],
    ['Sent', fields.get('date')],
    ['Message-ID', fields.get('message-id')],
  ];
  return rows
    .filter(([, value]) => value !== undefined && value !== '')
    .flatMap(([name, value]) => indented(`${name}: ${oneLine(value ?? '', 300)}`, 4));
}

function describeRecipient(recipient: DsnRecipient): string[] {
  const { finalRecipient, originalRecipient, action, diagnostic, remoteMta } = recipient;
  const final = oneLine(finalRecipient);
  const written = originalRecipient && oneLine(originalRecipient.address);
  const lines = indented(`<${final}>`, 2);
  if (written !== undefined && written.toLowerCase() !== final.toLowerCase()) {
    lines.push(...indented(`(you wrote to ${written}, which leads there)`, 4));
  }
  const words = diagnostic === undefined ? [] : replyLines(diagnostic);
  if (action === 'failed' || action === 'delayed') {
    const answered = remoteMta !== undefined && diagnostic !== undefined && isReply(diagnostic);
    const who = answered ? `The server ${oneLine(remoteMta)} answered:` : 'Reason given by this server:';
    if (words.length > 0) lines.push(...indented(who, 4), ...words.flatMap((line) => indented(line, 8)));
    lines.push(...indented(adviceFor(recipient.status, action), 4));
  }
  if (action === 'delayed' && recipient.willRetryUntil !== undefined) {
    lines.push(...indented(`We keep trying until ${readableDate(recipient.willRetryUntil)}.`, 4));
  }
  return lines;
}

function indented(text: string, by: number): string[] {
  return wrap(text, WIDTH - by).map((line) => ' '.repeat(by) + line);
}

/** "Tue, 3 Mar 2026, 10:00 UTC". */
function readableDate(ms: number): string {
  const [weekday, day = '', month, year, time = ''] = new Date(ms).toUTCString().split(' ');
  return `${weekday} ${Number(day)} ${month} ${year}, ${time.slice(0, 5)} UTC`;
}
