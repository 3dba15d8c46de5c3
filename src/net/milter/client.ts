import { isIPv6 } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Connection } from '../connection.ts';
import { dialPartner, PARTNER_MS, PartnerFailed, type PartnerMessage } from '../partners/dial.ts';
import { Actions, packet, PacketReader, Protocol, Send, text, texts, uint32 } from './wire.ts';

const VERSION = 6;
/** The oldest version that has every step we take. */
const OLDEST_VERSION = 2;
/** Milliseconds for one answer, and for the last one. */
const STEP_MS = 30_000;
const LAST_STEP_MS = 120_000;
/** Octets of a body packet that every milter takes. */
const BODY_MAX = 65_535;
/** Fields a milter may add, and octets of each. */
const ADDED_MAX = 50;
const ADDED_OCTETS_MAX = 16 * 1024;

export interface MilterField {
  readonly name: string;
  readonly value: string;
}

/** What a milter thinks of a message. */
export interface MilterVerdict {
  readonly action: 'accept' | 'reject' | 'defer' | 'discard' | 'quarantine';
  /** Its own reply ("550 5.7.1 no") or reason, printable; '' for none. */
  readonly reason: string;
  /** Fields it wants to see in the message. */
  readonly added: readonly MilterField[];
}

/** A message with its header fields apart, as milters want it. */
export interface MilterMessage extends PartnerMessage {
  /** In their order, unfolded or not, values as they stand behind the colon. */
  readonly fields: readonly MilterField[];
  /** The octets behind the header section. */
  readBody(): AsyncIterable<Buffer>;
}

/**
 * Take a milter (protocol version 2 to 6) through a whole session after the message has arrived: it sees what it would
 * have seen step by step, and its word is one more fact. What it would change in the message is not done, fields that
 * it adds are reported.
 * @throws PartnerFailed when it cannot be reached, breaks off, or breaks the protocol
 */
export async function askMilter(place: string, message: MilterMessage, clock: Clock): Promise<MilterVerdict> {
  const connection = await dialPartner(place, clock);
  const session = new MilterSession(connection);
  const whole = clock.setTimer(PARTNER_MS, () => connection.destroy('it took too long'));
  try {
    await session.negotiate();
    return await run(session, message);
  } catch (error) {
    throw error instanceof PartnerFailed
      ? new PartnerFailed(`${place}: ${error.message}`)
      : new PartnerFailed(`${place}: ${errorText(error)}`);
  } finally {
    whole.cancel();
    void connection.write(packet(Send.quit));
    void connection.end();
  }
}

async function run(session: MilterSession, message: MilterMessage): Promise<MilterVerdict> {
  const early =
    (await greet(session, message)) ??
    (await envelope(session, message)) ??
    (await content(session, message));
  if (early !== undefined) return early;
  return await session.endOfMessage(message.trace);
}

async function greet(session: MilterSession, message: MilterMessage): Promise<MilterVerdict | undefined> {
  const { hostname, clientName, ip, port, helo } = message;
  await session.macros('C', { j: hostname, _: `${clientName} [${ip}]`, '{daemon_name}': 'postern' });
  const family = ip === '' ? 'L' : isIPv6(ip) ? '6' : '4';
  const name = clientName === '' ? `[${ip}]` : clientName;
  const portOctets = Buffer.alloc(2);
  portOctets.writeUInt16BE(port & 0xffff);
  const address = family === '6' ? `IPv6:${ip}` : ip;
  return (
    (await session.step(
      Send.connect,
      Protocol.noConnect,
      Protocol.silentConnect,
      text(name),
      Buffer.from(family),
      portOctets,
      text(address),
    )) ?? (await session.step(Send.helo, Protocol.noHelo, Protocol.silentHelo, text(helo)))
  );
}

async function envelope(session: MilterSession, message: MilterMessage): Promise<MilterVerdict | undefined> {
  await session.macros('M', { i: message.trace, '{mail_addr}': message.reversePath });
  const path = text(`<${message.reversePath}>`);
  const early = await session.step(Send.mail, Protocol.noMail, Protocol.silentMail, path);
  if (early !== undefined) return early;
  let taken = 0;
  let refused: MilterVerdict | undefined;
  for (const address of message.recipients) {
    await session.macros('R', { '{rcpt_addr}': address });
    const answer = await session.step(Send.rcpt, Protocol.noRcpt, Protocol.silentRcpt, text(`<${address}>`));
    if (answer === undefined) taken++;
    else if (answer.action === 'reject' || answer.action === 'defer') refused = answer;
    else return answer;
  }
  return taken === 0 ? refused : undefined;
}

async function content(session: MilterSession, message: MilterMessage): Promise<MilterVerdict | undefined> {
  const data = await session.step(Send.data, Protocol.noData, Protocol.silentData);
  if (data !== undefined) return data;
  for (const { name, value } of message.fields) {
    const shown = session.wants(Protocol.headerLeadingSpace) ? value : value.replace(/^ /, '');
    const early = await session.step(
      Send.header,
      Protocol.noHeader,
      Protocol.silentHeader,
      text(name),
      text(shown.replaceAll('\r\n', '\n')),
    );
    if (early !== undefined) return early;
  }
  const end = await session.step(Send.endOfHeader, Protocol.noEndOfHeader, Protocol.silentEndOfHeader);
  return end ?? (await body(session, message));
}

async function body(session: MilterSession, message: MilterMessage): Promise<MilterVerdict | undefined> {
  if (session.wants(Protocol.noBody)) return undefined;
  for await (const piece of message.readBody()) {
    for (let at = 0; at < piece.length; at += BODY_MAX) {
      const chunk = piece.subarray(at, at + BODY_MAX);
      const early = await session.step(Send.body, Protocol.noBody, Protocol.silentBody, chunk);
      if (early !== undefined) return early;
      if (session.skipping) return undefined;
    }
  }
  return undefined;
}

/** What was negotiated, and one command with its answer. */
class MilterSession {
  readonly #connection: Connection;
  readonly #packets: PacketReader;
  #protocol = 0;
  /** It has seen enough of the body. */
  skipping = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#packets = new PacketReader(connection, STEP_MS);
  }

  wants(step: number): boolean {
    return (this.#protocol & step) !== 0;
  }

  async negotiate(): Promise<void> {
    const offered = Object.values(Protocol).reduce((all, bit) => all | bit, 0);
    const actions = Actions.addHeaders | Actions.changeHeaders | Actions.quarantine;
    await this.#connection.write(packet(Send.negotiate, uint32(VERSION), uint32(actions), uint32(offered)));
    const { command, data } = await this.#packets.next();
    if (command !== Send.negotiate || data.length < 12) throw new PartnerFailed('it does not negotiate');
    const version = data.readUInt32BE(0);
    if (version < OLDEST_VERSION || version > VERSION)
      throw new PartnerFailed(`it speaks version ${version} of the milter protocol, not ${VERSION}`);
    // DATA came with version 4.
    const missing = version < 4 ? Protocol.noData : 0;
    this.#protocol = (data.readUInt32BE(8) & offered) | missing;
  }

  async macros(of: string, values: Readonly<Record<string, string>>): Promise<void> {
    const list = Object.entries(values).flatMap(([name, value]) => [text(name), text(value)]);
    await this.#connection.write(packet(Send.macros, of, ...list));
  }

  /** Send a step unless it is unwanted; undefined means go on. */
  async step(
    command: string,
    unwanted: number,
    silent: number,
    ...data: readonly Buffer[]
  ): Promise<MilterVerdict | undefined> {
    if (this.wants(unwanted)) return undefined;
    await this.#connection.write(packet(command, ...data));
    if (this.wants(silent)) return undefined;
    for (;;) {
      const answer = await this.#packets.next();
      if (answer.command === 'p') continue;
      if (answer.command === 's') {
        this.skipping = true;
        return undefined;
      }
      if (answer.command === 'c') return undefined;
      const verdict = final(answer.command, answer.data, []);
      if (verdict === undefined) throw new PartnerFailed(`it answers "${answer.command}" where it must not`);
      return verdict;
    }
  }

  /** The end: its wishes, then its word. */
  async endOfMessage(trace: string): Promise<MilterVerdict> {
    await this.macros('E', { i: trace });
    await this.#connection.write(packet(Send.endOfMessage));
    this.#packets.timeoutMs = LAST_STEP_MS;
    const added: MilterField[] = [];
    let quarantine: string | undefined;
    for (;;) {
      const { command, data } = await this.#packets.next();
      if (command === 'h' || command === 'i') keepField(added, command === 'h' ? data : data.subarray(4));
      else if (command === 'q') quarantine = printable(texts(data)[0] ?? '');
      else if (command === 'c') {
        if (quarantine === undefined) return { action: 'accept', reason: '', added };
        return { action: 'quarantine', reason: quarantine, added };
      } else {
        const verdict = final(command, data, added);
        if (verdict !== undefined)
          return verdict.action === 'accept' && quarantine !== undefined
            ? { ...verdict, action: 'quarantine', reason: quarantine }
            : verdict;
        // Other changes (body, recipients, sender, existing fields) were not offered, or are not made.
      }
    }
  }
}

function final(command: string, data: Buffer, added: readonly MilterField[]): MilterVerdict | undefined {
  switch (command) {
    case 'a':
      return { action: 'accept', reason: '', added };
    case 'd':
      return { action: 'discard', reason: 'discard', added };
    case 'r':
      return { action: 'reject', reason: 'reject', added };
    case 't':
      return { action: 'defer', reason: 'try again later', added };
    case 'y': {
      const reason = printable(texts(data)[0] ?? '');
      return { action: reason.startsWith('4') ? 'defer' : 'reject', reason, added };
    }
    default:
      return undefined;
  }
}

/** RFC 5322 2.2: printable names; values without bare line ends, so that no field smuggles another. */
function keepField(added: MilterField[], data: Buffer): void {
  const [name = '', value = ''] = texts(data);
  if (added.length >= ADDED_MAX || !/^[\x21-\x39\x3b-\x7e]{1,100}$/.test(name)) return;
  const unfolded = value.replaceAll(/\r?\n(?=[ \t])/g, '').replaceAll(/[\r\n]/g, ' ');
  added.push({ name, value: unfolded.trim().slice(0, ADDED_OCTETS_MAX) });
}

function printable(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 400);
}
