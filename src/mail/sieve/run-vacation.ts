/** vacation (RFC 5230, RFC 6131): whether to answer, and with what. Who was answered lately the caller knows. */
import { createHash } from 'node:crypto';
import { fieldAddresses, fieldsNamed, fieldText, splitAddress } from './fields.ts';
import { MAX_VACATION_SECONDS, MIN_VACATION_SECONDS } from './limits.ts';
import { decide } from './plan.ts';
import { type Node, numberOf } from './program.ts';
import { fccOf } from './run-actions.ts';
import { fail, note, type Run, tagText, text, texts } from './run.ts';
import { checkFromAddress } from './string-checks.ts';

const DAY = 86_400;
const DEFAULT_DAYS = 7; // RFC 5230 4.1

/** RFC 5230 4.6, RFC 3834 2: these are programs, whoever runs them. */
const ROLES =
  /^(?:mailer-daemon|listserv|majordomo|owner-.*|.*-request|.*-owner|(?:.*-)?bounces?(?:[-+].*)?|(?:no|do-?not)[-_.]?reply(?:[-+].*)?)$/i;

/** RFC 2369, RFC 2919. */
const LIST_FIELDS = [
  'list-id',
  'list-help',
  'list-subscribe',
  'list-unsubscribe',
  'list-post',
  'list-owner',
  'list-archive',
];
const RECIPIENT_FIELDS = ['to', 'cc', 'bcc', 'resent-to', 'resent-cc', 'resent-bcc'];

function has(run: Run, name: string, test: (value: string) => boolean): boolean {
  return fieldsNamed(run.draft.fields, [name]).some((field) => test(fieldText(field)));
}

/** An address in the form in which two are compared: lower case, without detail. */
function plain(run: Run, address: string): string {
  const { local, domain } = splitAddress(address.trim().toLowerCase());
  const separator = run.world.detailSeparator;
  const at = separator === '' ? -1 : local.indexOf(separator);
  return `${at > 0 ? local.slice(0, at) : local}@${domain ?? ''}`;
}

/** Why this message is not answered, or undefined. */
function silence(run: Run, node: Node): string | undefined {
  const { from, to } = run.envelope;
  if (from === '') return 'it has no sender to answer (null reverse-path)';
  const own = [...run.world.addresses, to, ...texts(run, node.tags.get('addresses'))].map((one) =>
    plain(run, one),
  );
  if (own.includes(plain(run, from))) return 'it is from the owner';
  if (ROLES.test(splitAddress(from).local)) return `its sender ${from} is a program`;
  if (has(run, 'auto-submitted', (value) => !/^no\b/i.test(value)))
    return 'it was sent by a program (Auto-Submitted)';
  if (LIST_FIELDS.some((name) => fieldsNamed(run.draft.fields, [name]).length > 0))
    return 'it comes from a mailing list';
  if (has(run, 'precedence', (value) => /^(?:bulk|list|junk)\b/i.test(value)))
    return 'it is bulk mail (Precedence)';
  if (has(run, 'x-auto-response-suppress', (value) => /\b(?:all|oof|autoreply)\b/i.test(value)))
    return 'its sender wants no automatic replies (X-Auto-Response-Suppress)';
  const addressed = fieldsNamed(run.draft.fields, RECIPIENT_FIELDS)
    .flatMap(fieldAddresses)
    .some(({ local, domain }) => own.includes(plain(run, `${local}@${domain ?? ''}`)));
  return addressed ? undefined : "none of the owner's addresses is in To, Cc or Bcc";
}

function periodOf(node: Node): number {
  const seconds = numberOf(node.tags.get('seconds'));
  const days = Math.max(1, numberOf(node.tags.get('days')) ?? DEFAULT_DAYS);
  return Math.min(MAX_VACATION_SECONDS, Math.max(MIN_VACATION_SECONDS, seconds ?? days * DAY));
}

/** RFC 5230 4.4: the subject of the message with a mark before it. */
function subjectOf(run: Run, node: Node): string {
  const given = tagText(run, node, 'subject');
  const field = fieldsNamed(run.draft.fields, ['subject'])[0];
  const subject =
    given ??
    (field === undefined || fieldText(field) === '' ? 'Automated reply' : `Auto: ${fieldText(field)}`);
  return subject.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

export function vacation(run: Run, node: Node): void {
  if (run.pending.some(({ action }) => action.kind === 'vacation'))
    fail(run, '"vacation" cannot be done twice'); // RFC 5230 4.7
  const from = tagText(run, node, 'from');
  if (from !== undefined && checkFromAddress(from) !== undefined)
    fail(run, `:from "${from.slice(0, 100)}" is not an address`);
  const reason = text(run, node.args[0]);
  const mime = node.tags.has('mime');
  const why = silence(run, node);
  if (why !== undefined) {
    note(run, node, `vacation: not answered: ${why}`);
    return;
  }
  // RFC 5230 4.2: without :handle, responses that differ in what they say are different ones.
  const told = JSON.stringify([tagText(run, node, 'subject'), from, mime, reason]);
  const handle = tagText(run, node, 'handle') ?? createHash('sha256').update(told).digest('base64url');
  decide(run, {
    kind: 'vacation',
    periodSeconds: periodOf(node),
    handle,
    to: run.envelope.from,
    from,
    subject: subjectOf(run, node),
    mime,
    reason,
    fcc: fccOf(run, node),
  });
}
