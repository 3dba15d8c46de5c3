import type { Actor } from '../../data/directory/types.ts';
import type { Place } from '../../data/sieve/types.ts';
import { decodeSaslBase64 } from '../../mail/sasl/base64.ts';
import { checkText } from '../../flow/sieve/engine.ts';
import { SIEVE_EXTENSIONS, SIEVE_LIMITS } from '../../mail/sieve/index.ts';
import type { ScriptError } from '../../mail/sieve/types.ts';
import {
  ACCOUNT_SESSION_LIMITS,
  type AccountSession,
  logIn,
  loginOf,
  mayLogIn,
  mayStartTls,
  mechanismFor,
  mechanisms,
  startTls,
} from '../account-session.ts';
import { type Argument, readString } from './read-command.ts';
import { no, ok, refused, SieveFault, string } from './replies.ts';

/** When a command may be given: in any state, before the login, behind it. */
export type When = 'any' | 'before' | 'after';

/** One row of the table. */
export interface SieveCommand {
  readonly when: When;
  readonly run: (session: AccountSession, args: Arguments) => Promise<void> | void;
}

/** Arguments, taken one after another; the last one with `end`. */
export interface Arguments {
  text(what: string): string;
  optionalText(): string | undefined;
  number(what: string): number;
  end(): void;
}

/** Commands of RFC 5804. A new one is a row. */
export const COMMANDS: ReadonlyMap<string, SieveCommand> = new Map<string, SieveCommand>([
  ['CAPABILITY', { when: 'any', run: capability }],
  ['NOOP', { when: 'any', run: noop }],
  ['LOGOUT', { when: 'any', run: logout }],
  ['STARTTLS', { when: 'before', run: starttls }],
  ['AUTHENTICATE', { when: 'before', run: authenticate }],
  ['UNAUTHENTICATE', { when: 'after', run: unauthenticate }],
  ['HAVESPACE', { when: 'after', run: haveSpace }],
  ['PUTSCRIPT', { when: 'after', run: putScript }],
  ['CHECKSCRIPT', { when: 'after', run: checkScript }],
  ['LISTSCRIPTS', { when: 'after', run: listScripts }],
  ['GETSCRIPT', { when: 'after', run: getScript }],
  ['SETACTIVE', { when: 'after', run: setActive }],
  ['RENAMESCRIPT', { when: 'after', run: renameScript }],
  ['DELETESCRIPT', { when: 'after', run: deleteScript }],
]);

export function argumentsOf(args: readonly Argument[]): Arguments {
  let next = 0;
  const text = (what: string): string => {
    const argument = args[next++];
    if (argument?.kind !== 'string') throw new SieveFault(`expected a string: ${what}`);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(argument.octets);
    } catch {
      throw new SieveFault(`${what} is not UTF-8`);
    }
  };
  return {
    text,
    optionalText: () => (next < args.length ? text('an optional string') : undefined),
    number(what) {
      const argument = args[next++];
      if (argument?.kind !== 'number') throw new SieveFault(`expected a number: ${what}`);
      return argument.value;
    },
    end() {
      if (next < args.length) throw new SieveFault('expected the end of the command');
    },
  };
}

/** RFC 5804 section 1.7: what the server can do at this moment, as the greeting says it too. */
export function capabilities(session: AccountSession): void {
  const say = (name: string, value?: string): void =>
    session.out.line(`"${name}"${value === undefined ? '' : ` ${string(value)}`}`);
  say('IMPLEMENTATION', 'Postern');
  say('VERSION', '1.0');
  // RFC 5804 section 1.7: empty only where STARTTLS is to come first, also behind the login.
  say('SASL', mechanisms(session).join(' '));
  say('SIEVE', SIEVE_EXTENSIONS.join(' '));
  say('NOTIFY', 'mailto');
  say('MAXREDIRECTS', String(SIEVE_LIMITS.redirects));
  if (session.facts.login === undefined) {
    if (mayStartTls(session)) say('STARTTLS');
  } else {
    say('OWNER', loginOf(session).address);
    say('UNAUTHENTICATE');
  }
}

function capability(session: AccountSession, args: Arguments): void {
  args.end();
  capabilities(session);
  ok(session, 'That is all');
}

/** RFC 5804 section 2.13: with a string, the answer repeats it, so that a client finds its place. */
function noop(session: AccountSession, args: Arguments): void {
  const tag = args.optionalText();
  args.end();
  ok(session, 'Done', tag === undefined ? undefined : `TAG ${string(tag)}`);
}

function logout(session: AccountSession, args: Arguments): void {
  args.end();
  session.ended = 'client said LOGOUT';
  ok(session, 'Goodbye');
}

async function starttls(session: AccountSession, args: Arguments): Promise<void> {
  args.end();
  await startTls(session, () => ok(session, 'Begin TLS negotiation now'));
  // RFC 5804 section 2.2: what was said in clear is to be forgotten.
  capabilities(session);
  ok(session, 'TLS is on');
}

async function authenticate(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a mechanism');
  const initial = args.optionalText();
  args.end();
  if (!mayLogIn(session))
    return no(session, 'Passwords are taken under TLS only: STARTTLS first', 'ENCRYPT-NEEDED');
  const mechanism = mechanismFor(session, name);
  // RFC 5804 section 2.1: not where the server begins. CRAM-MD5 says so itself; other protocols take it with LOGIN.
  if (initial !== undefined && mechanism.name === 'LOGIN')
    return no(session, 'LOGIN begins with the server: send no initial response');
  const first = initial === undefined ? undefined : fromBase64(initial);
  await logIn(
    session,
    mechanism,
    first,
    (challenge) => exchange(session, challenge),
    (refusal) => refused(session, refusal),
  );
  if (session.facts.login !== undefined) ok(session, 'Logged in');
}

async function exchange(session: AccountSession, challenge: Buffer): Promise<Buffer> {
  session.out.line(string(challenge.toString('base64')));
  const text = (await readString(session, ACCOUNT_SESSION_LIMITS.saslBytes)).toString('latin1');
  if (text === '*') throw new SieveFault('authentication cancelled');
  return fromBase64(text);
}

function fromBase64(text: string): Buffer {
  const octets = decodeSaslBase64(text);
  if (octets === undefined) throw new SieveFault('expected base64');
  return octets;
}

/** RFC 5804 section 2.14.1. */
function unauthenticate(session: AccountSession, args: Arguments): void {
  args.end();
  session.unwatchLogin?.();
  session.unwatchLogin = undefined;
  session.facts.login = undefined;
  ok(session, 'Logged out');
}

async function haveSpace(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  const size = args.number('its octets');
  args.end();
  const answer = await session.options.store.read.run('sieve.space', { place: own(session), name, size });
  if (answer.fits) ok(session, 'It fits');
  else no(session, answer.text, answer.code);
}

async function putScript(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  const text = args.text('the script');
  args.end();
  // RFC 5804 section 2.6 would have it so: DELETESCRIPT and SETACTIVE "" say what is meant.
  if (text === '') return no(session, 'A script must not be empty');
  const place = change(session, name);
  const warnings = await checked(session, text);
  if (warnings === undefined) return;
  await session.options.store.write.run('sieve.put', { ...place, text });
  goodScript(session, warnings, 'Stored');
}

async function checkScript(session: AccountSession, args: Arguments): Promise<void> {
  const text = args.text('the script');
  args.end();
  const warnings = await checked(session, text);
  if (warnings !== undefined) goodScript(session, warnings, 'Nothing is wrong with it');
}

/** The warnings of a script, or undefined when it has errors: then they have been told. */
async function checked(session: AccountSession, text: string): Promise<readonly ScriptError[] | undefined> {
  const owner = session.facts.login?.accountId ?? 0;
  const { errors, warnings } = await checkText(session.options.scripts, owner, text);
  if (errors.length === 0) return warnings;
  no(session, errors.map(errorText).join('\r\n'));
  return undefined;
}

function goodScript(session: AccountSession, warnings: readonly ScriptError[], text: string): void {
  if (warnings.length === 0) ok(session, text);
  else ok(session, warnings.map(errorText).join('\r\n'), 'WARNINGS');
}

function errorText({ line, column, message }: ScriptError): string {
  return `line ${line}, column ${column}: ${message}`;
}

async function listScripts(session: AccountSession, args: Arguments): Promise<void> {
  args.end();
  const found = await session.options.store.read.run('sieve.list', { place: own(session) });
  for (const { name, active } of found) session.out.line(`${string(name)}${active ? ' ACTIVE' : ''}`);
  ok(session, 'That is all');
}

async function getScript(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  args.end();
  const found = await session.options.store.read.run('sieve.script', { place: own(session), name });
  if (found === undefined) return no(session, 'There is no script of that name', 'NONEXISTENT');
  const octets = Buffer.from(found.text, 'utf8');
  session.out.text(`{${octets.length}}\r\n`);
  session.out.bytes(octets);
  session.out.line('');
  ok(session, 'That is it');
}

/** RFC 5804 section 2.8: the empty name means that none is to run. */
async function setActive(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  args.end();
  await session.options.store.write.run('sieve.activate', change(session, name));
  ok(session, name === '' ? 'No script is active' : 'It runs from now on');
}

async function renameScript(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  const to = args.text('its new name');
  args.end();
  await session.options.store.write.run('sieve.rename', { ...change(session, name), to });
  ok(session, 'Renamed');
}

async function deleteScript(session: AccountSession, args: Arguments): Promise<void> {
  const name = args.text('the name of a script');
  args.end();
  await session.options.store.write.run('sieve.remove', change(session, name));
  ok(session, 'Deleted');
}

function own(session: AccountSession): Place {
  return { kind: 'account', accountId: loginOf(session).accountId };
}

function change(session: AccountSession, name: string): { actor: Actor; place: Place; name: string } {
  const actor: Actor = { name: loginOf(session).address, role: 'user', domainId: undefined };
  return { actor, place: own(session), name };
}

/** The state that a command is for, in words; undefined when it may be given now. */
export function misplaced(session: AccountSession, { when }: SieveCommand): string | undefined {
  const loggedIn = session.facts.login !== undefined;
  if (when === 'after' && !loggedIn) return 'needs a login first';
  return when === 'before' && loggedIn ? 'is for before the login' : undefined;
}
