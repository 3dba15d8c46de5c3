import { Refusal } from '../../base/errors.ts';
import { decodeSaslBase64 } from '../../mail/sasl/base64.ts';
import { flush, flushIfFull, SessionEnd } from '../../net/line/talk.ts';
import {
  ACCOUNT_SESSION_LIMITS,
  logIn,
  loginOf,
  mayLogIn,
  mayStartTls,
  mechanismFor,
  mechanisms,
  readLine,
  startTls,
} from '../account-session.ts';
import { type Maildrop, openMaildrop } from './maildrop.ts';
import { DotStuffer } from './multiline.ts';
import { err, ok, Pop3Fault, refused } from './replies.ts';
import type { Pop3Session, Pop3State } from './session.ts';

/** One row of the table. `argument` is what stands behind the name and one space. */
export interface Pop3Command {
  readonly states: readonly Pop3State[];
  readonly run: (session: Pop3Session, argument: string) => Promise<void> | void;
}

const ANY: readonly Pop3State[] = ['authorization', 'transaction'];
const BEFORE: readonly Pop3State[] = ['authorization'];
const AFTER: readonly Pop3State[] = ['transaction'];

/** Commands of RFC 1939, RFC 2449 (CAPA), RFC 2595 (STLS) and RFC 5034 (AUTH). A new one is a row. */
export const COMMANDS: ReadonlyMap<string, Pop3Command> = new Map<string, Pop3Command>([
  ['CAPA', { states: ANY, run: capa }],
  ['QUIT', { states: ANY, run: quit }],
  ['STLS', { states: BEFORE, run: stls }],
  ['USER', { states: BEFORE, run: user }],
  ['PASS', { states: BEFORE, run: pass }],
  ['AUTH', { states: BEFORE, run: auth }],
  ['STAT', { states: AFTER, run: stat }],
  [
    'LIST',
    { states: AFTER, run: (session, argument) => listing(session, argument, (drop, n) => drop.size(n)) },
  ],
  [
    'UIDL',
    { states: AFTER, run: (session, argument) => listing(session, argument, (drop, n) => drop.uniqueId(n)) },
  ],
  ['RETR', { states: AFTER, run: retr }],
  ['TOP', { states: AFTER, run: top }],
  ['DELE', { states: AFTER, run: dele }],
  ['RSET', { states: AFTER, run: rset }],
  ['NOOP', { states: AFTER, run: (session) => ok(session, 'Still here') }],
]);

function capa(session: Pop3Session, argument: string): void {
  nothing(argument);
  const lines = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER'];
  // RFC 2449 section 5: also what is for before the login is told in both states.
  if (mayStartTls(session)) lines.push('STLS');
  if (mayLogIn(session)) lines.push('USER', `SASL ${mechanisms(session).join(' ')}`);
  if (session.maildrop !== undefined) lines.push('IMPLEMENTATION Postern');
  ok(session, 'What this server can do');
  for (const line of lines) session.out.line(line);
  session.out.line('.');
}

/** RFC 1939 section 6: only QUIT removes what was marked, and only then +OK is said. */
async function quit(session: Pop3Session, argument: string): Promise<void> {
  nothing(argument);
  session.ended = 'client said QUIT';
  if (session.maildrop !== undefined) {
    try {
      await session.maildrop.commit();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return err(session, `[SYS/TEMP] Not all marked messages were removed: ${error.message}`);
    }
  }
  ok(session, 'Goodbye');
}

async function stls(session: Pop3Session, argument: string): Promise<void> {
  nothing(argument);
  await startTls(session, () => ok(session, 'Begin TLS negotiation now'));
  session.user = undefined;
}

function user(session: Pop3Session, argument: string): void {
  if (argument === '') throw new Pop3Fault('USER needs a name');
  if (!mayLogIn(session))
    throw new Refusal('not-permitted', 'Passwords are taken under TLS only: STLS first');
  session.user = argument;
  // The same for everybody: whether there is such an account is not told (RFC 1939 section 13).
  ok(session, 'Now PASS');
}

async function pass(session: Pop3Session, argument: string): Promise<void> {
  const { user: name } = session;
  if (name === undefined) throw new Pop3Fault('USER goes before PASS');
  session.user = undefined;
  if (name.includes('\0') || argument.includes('\0')) throw new Pop3Fault('no NUL in user name and password');
  const mechanism = mechanismFor(session, 'PLAIN');
  const initial = Buffer.from(`\0${name}\0${argument}`, 'latin1');
  await logIn(
    session,
    mechanism,
    initial,
    async () => Buffer.alloc(0),
    (refusal) => refused(session, refusal),
  );
  await enter(session);
}

async function auth(session: Pop3Session, argument: string): Promise<void> {
  if (argument === '') {
    ok(session, 'Mechanisms');
    for (const name of mechanisms(session)) session.out.line(name);
    return session.out.line('.');
  }
  const [name = '', initial, ...more] = argument.split(' ');
  if (more.length > 0) throw new Pop3Fault('AUTH has a mechanism and at most an initial response');
  const mechanism = mechanismFor(session, name);
  const first = initial === undefined ? undefined : fromBase64(initial);
  await logIn(
    session,
    mechanism,
    first,
    (challenge) => exchange(session, challenge),
    (refusal) => refused(session, refusal),
  );
  await enter(session);
}

/** RFC 5034 section 4. */
async function exchange(session: Pop3Session, challenge: Buffer): Promise<Buffer> {
  session.out.line(`+ ${challenge.toString('base64')}`);
  const line = await readLine(session, ACCOUNT_SESSION_LIMITS.saslBytes);
  if (line === undefined) throw new SessionEnd('AUTH response too long', 'Response too long');
  const text = line.toString('latin1');
  if (text === '*') throw new Pop3Fault('authentication cancelled');
  return fromBase64(text);
}

function fromBase64(text: string): Buffer {
  const octets = decodeSaslBase64(text);
  if (octets === undefined) throw new Pop3Fault('expected base64');
  return octets;
}

/** The login went well: open the inbox. */
async function enter(session: Pop3Session): Promise<void> {
  if (session.facts.login === undefined) return;
  session.maildrop = await openMaildrop(session.options.store, loginOf(session).accountId);
  const { count, octets } = session.maildrop.left;
  ok(session, `Logged in, ${count} messages of ${octets} octets`);
}

function stat(session: Pop3Session, argument: string): void {
  nothing(argument);
  const { count, octets } = dropOf(session).left;
  ok(session, `${count} ${octets}`);
}

async function listing(
  session: Pop3Session,
  argument: string,
  value: (drop: Maildrop, number: number) => number | string,
): Promise<void> {
  const drop = dropOf(session);
  if (argument !== '') {
    const number = decimal(argument);
    return ok(session, `${number} ${value(drop, number)}`);
  }
  ok(session, `${drop.left.count} messages`);
  for (let number = 1; number <= drop.count; number++) {
    if (drop.isDeleted(number)) continue;
    session.out.line(`${number} ${value(drop, number)}`);
    await flushIfFull(session);
  }
  session.out.line('.');
}

async function retr(session: Pop3Session, argument: string): Promise<void> {
  const number = decimal(argument);
  await send(session, number, undefined);
  dropOf(session).sent(number);
}

async function top(session: Pop3Session, argument: string): Promise<void> {
  const [number = '', lines = '', ...more] = argument.split(' ');
  if (more.length > 0) throw new Pop3Fault('TOP has a message number and a number of lines');
  await send(session, decimal(number), decimal(lines));
}

async function send(session: Pop3Session, number: number, bodyLines: number | undefined): Promise<void> {
  const drop = dropOf(session);
  const content = await drop.open(number);
  const whole = content.section({ part: [], text: undefined });
  ok(session, `${drop.size(number)} octets`);
  const stuffer = new DotStuffer(bodyLines);
  try {
    for await (const piece of content.read(whole?.pieces ?? [])) {
      for (const octets of stuffer.push(piece)) session.out.bytes(octets);
      await flush(session);
      if (stuffer.done) break;
    }
  } catch (error) {
    if (error instanceof SessionEnd) throw error;
    // Half a message is on its way: nothing that is said now could be told from it.
    session.out.drop();
    session.connection.destroy('a message could not be read to its end');
    throw error;
  }
  session.out.text(stuffer.end());
  await flush(session);
}

function dele(session: Pop3Session, argument: string): void {
  const number = decimal(argument);
  dropOf(session).delete(number);
  ok(session, `Message ${number} is marked deleted`);
}

function rset(session: Pop3Session, argument: string): void {
  nothing(argument);
  dropOf(session).reset();
  ok(session, 'No message is marked deleted');
}

function dropOf({ maildrop }: Pop3Session): Maildrop {
  if (maildrop === undefined) throw new Error('command without maildrop');
  return maildrop;
}

function nothing(argument: string): void {
  if (argument !== '') throw new Pop3Fault('expected nothing behind this command');
}

function decimal(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Pop3Fault('expected a number');
  return Number(text);
}
