import type { Command } from './commands/command.ts';
import { findCommand } from './commands/table.ts';
import { SESSION_LIMITS } from './limits.ts';
import { readLine, readOctets, type Session, SessionEnd, stateOf, usesUtf8 } from './session.ts';
import {
  Decoder,
  type Literal,
  literalHead,
  type LiteralHead,
  type Segment,
  SyntaxFault,
} from './wire/decoder.ts';

/** A command as it was read, or why it is none. */
export type ReadCommand =
  | { readonly tag: string; readonly command: Command; readonly d: Decoder }
  | { readonly tag: string; readonly name: string; readonly fault: string };

function lineLimit(session: Session): number {
  const { imapLineBytes, imapPreauthBytes } = session.options.limits;
  return session.facts.login === undefined ? imapPreauthBytes : imapLineBytes;
}

/** Read the next command, its literals included unless its handler takes them as they come. */
export async function readCommand(session: Session): Promise<ReadCommand> {
  const line = await readLine(session, lineLimit(session));
  if (line === undefined) return { tag: '*', name: '', fault: 'command line too long' };
  const begun = begin(session, line);
  if ('fault' in begun) {
    await passOver(session, line);
    return begun;
  }
  const { tag, command, d } = begun;
  if (command.streams !== true) {
    const fault = await gather(session, line, d);
    if (fault !== undefined) return { tag, name: command.name, fault };
  }
  return begun;
}

/** Tag and name of a command; whether it exists and may come now is known before any literal is asked for. */
function begin(session: Session, line: Buffer): ReadCommand {
  const d = new Decoder([{ line, literal: undefined }], {
    maxDepth: session.options.limits.imapDepth,
    utf8: usesUtf8(session),
  });
  let tag = '*';
  try {
    tag = d.tag();
    d.sp();
    let name = d.keyword('a command');
    if (name === 'UID') {
      d.sp();
      name = `UID ${d.keyword('a command')}`;
    }
    const command = findCommand(name);
    if (command === undefined) return { tag, name: '', fault: 'unknown command' };
    if (!command.states.includes(stateOf(session))) return { tag, name, fault: wrongState(session, name) };
    return { tag, command, d };
  } catch (error) {
    if (error instanceof SyntaxFault) return { tag, name: '', fault: error.message };
    throw error;
  }
}

function wrongState(session: Session, name: string): string {
  const state = stateOf(session);
  if (state === 'not-authenticated') return `${name} needs a login first`;
  return state === 'authenticated' && findCommand(name)?.states.includes('selected')
    ? `${name} needs a selected mailbox`
    : `${name} is not for a session that has logged in`;
}

/** Ask for (where the client waits) and read the literal that a line ends with. Undefined: refused, not read. */
export async function readLiteral(
  session: Session,
  head: LiteralHead,
  room: number,
): Promise<Literal | undefined> {
  if (head.size > room) {
    // RFC 7888 section 4: what is on its way cannot be refused, only cut off.
    if (head.nonSync) throw new SessionEnd('literal too large', '[TOOBIG] Literal too large');
    return undefined;
  }
  if (!head.nonSync) session.out.line('+ Ready for the literal');
  const pieces: Buffer[] = [];
  for await (const piece of readOctets(session, head.size)) pieces.push(Buffer.from(piece));
  return { octets: Buffer.concat(pieces), binary: head.binary };
}

/** Octets a literal may have now. */
function literalRoom(session: Session, used: number, head: LiteralHead): number {
  if (session.facts.login !== undefined) return SESSION_LIMITS.literalBytes - used;
  const room = session.options.limits.imapPreauthBytes - used;
  return head.nonSync ? Math.min(room, SESSION_LIMITS.preauthLiteralBytes) : room;
}

/** Read all literals of a command and the lines behind them. Returns a fault when one was refused. */
async function gather(session: Session, firstLine: Buffer, d: Decoder): Promise<string | undefined> {
  let line = firstLine;
  let used = 0;
  let lines = line.length;
  const segments: Segment[] = [];
  for (;;) {
    const head = literalHead(line);
    if (head === undefined) break;
    const literal = await readLiteral(session, head, literalRoom(session, used, head));
    if (literal === undefined) return 'literal too large';
    used += literal.octets.length;
    segments.push({ line, literal });
    const next = await readLine(session, Math.max(0, lineLimit(session) - lines));
    if (next === undefined) return 'command line too long';
    // Each literal counts, or a line of nothing but empty ones would have no end.
    lines += next.length + 8;
    line = next;
  }
  if (segments.length > 0) d.begin([...segments, { line, literal: undefined }]);
  return undefined;
}

/** A command that is refused unseen: what the client sends along without waiting is thrown away. */
async function passOver(session: Session, firstLine: Buffer): Promise<void> {
  let line: Buffer | undefined = firstLine;
  let room: number = SESSION_LIMITS.literalBytes;
  for (;;) {
    const head: LiteralHead | undefined = line === undefined ? undefined : literalHead(line);
    if (head === undefined || !head.nonSync) return;
    room -= head.size;
    const limit = session.facts.login === undefined ? SESSION_LIMITS.preauthLiteralBytes : room;
    if (room < 0 || head.size > limit)
      throw new SessionEnd('literal too large', '[TOOBIG] Literal too large');
    for await (const piece of readOctets(session, head.size)) void piece;
    line = await readLine(session, lineLimit(session));
  }
}

/** For handlers that stream: read the literal at hand, if the line goes on with one, so that `d` can take it. */
export async function gatherNext(session: Session, d: Decoder): Promise<void> {
  const rest = d.rest();
  const head = literalHead(rest);
  if (head === undefined || head.at !== 0) return;
  const literal = await readLiteral(session, head, SESSION_LIMITS.literalBytes);
  if (literal === undefined) throw new SyntaxFault('literal too large');
  const next = await readLine(session, lineLimit(session));
  if (next === undefined) {
    // The literal is used up: nobody may take its head for one that is still to come.
    d.nextLine(Buffer.alloc(0));
    throw new SyntaxFault('command line too long');
  }
  d.putLiteral(literal, next);
}
