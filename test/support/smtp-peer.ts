import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';

/** What the peer does at one command: a reply (lines separated by CRLF, the last one added), or something worse. */
export type Behaviour =
  | string
  /** Close or reset the connection without an answer. */
  | { do: 'close' | 'reset' }
  /** Never answer. */
  | { do: 'hang' }
  /** Answer, then close. */
  | { do: 'reply-close'; reply: string }
  /** Answer after `ms` milliseconds. */
  | { do: 'delay'; ms: number; reply: string }
  /** Send exactly these bytes. */
  | { do: 'raw'; bytes: Buffer };

/** One behaviour, or one for each time the command comes (then the usual), or a function of its argument. */
export type Script = Behaviour | Behaviour[] | ((argument: string) => Behaviour | undefined);

export interface SmtpPeerOptions {
  /** Another address of 127.0.0.0/8, and a port that a peer at 127.0.0.1 has: two hosts with one port. */
  listen?: { host: string; port: number } | { path: string };
  protocol?: 'smtp' | 'lmtp';
  /** EHLO keywords. Default: PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, CHUNKING, BINARYMIME, ENHANCEDSTATUSCODES. */
  capabilities?: string[];
  /** PEM pair; STARTTLS is offered, or TLS spoken at once with `implicit`. */
  tls?: { cert: string; key: string; implicit?: boolean };
  /** Bytes sent in clear right behind the 220 to STARTTLS. */
  injectAfterStartTls?: string;
  /** By verb in upper case, and GREETING, DATA, BODY (the end of the data), AUTHDATA (a line of an AUTH exchange). */
  script?: Partial<Record<string, Script>>;
  /** LMTP: the reply for each accepted recipient after the data. */
  perRecipient?: (address: string) => string;
  /** Close in the middle of the data, after at least so many octets. */
  dropAfterDataBytes?: number;
  /** Answer in the middle of the data, after at least so many octets, with this reply. */
  replyAfterDataBytes?: { bytes: number; reply: string };
  /** How data is taken; false stops reading after the 354. */
  readData?: boolean;
}

export interface PeerTransaction {
  from: string;
  /** MAIL parameters. */
  params: string;
  to: string[];
  /** RCPT parameters, by recipient. */
  rcptParams: string[];
  /** Dots undone; for BDAT the octets as they are. */
  data: Buffer;
  /** As it stood on the wire, without the final dot line. */
  raw: Buffer;
  tls: boolean;
  bdat: boolean;
}

export interface SmtpPeer {
  readonly port: number;
  readonly options: SmtpPeerOptions;
  /** Every transaction that came to its end of data, whatever was answered. */
  readonly transactions: PeerTransaction[];
  /** Every command line of every session. */
  readonly commands: string[];
  /** Number of commands in each piece that arrived: more than one means pipelining. */
  readonly groups: number[];
  readonly connections: () => number;
  close(): Promise<void>;
}

const CAPABILITIES = [
  'PIPELINING',
  'SIZE 50000000',
  '8BITMIME',
  'SMTPUTF8',
  'DSN',
  'CHUNKING',
  'BINARYMIME',
  'ENHANCEDSTATUSCODES',
];

/** A scripted SMTP or LMTP server on 127.0.0.1 that keeps what it is given. */
export async function startSmtpPeer(options: SmtpPeerOptions = {}): Promise<SmtpPeer> {
  const transactions: PeerTransaction[] = [];
  const commands: string[] = [];
  const groups: number[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const context = options.tls && createSecureContext(options.tls);
  const server = createServer({ noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    startSession({ options, transactions, commands, groups, context }, socket);
  });
  const where = options.listen ?? { port: 0, host: '127.0.0.1' };
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : 0,
    options,
    transactions,
    commands,
    groups,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Shared {
  readonly options: SmtpPeerOptions;
  readonly transactions: PeerTransaction[];
  readonly commands: string[];
  readonly groups: number[];
  readonly context: SecureContext | undefined;
}

type Mode =
  | { kind: 'command' }
  | { kind: 'data' }
  | { kind: 'auth' }
  | { kind: 'bdat'; left: number; last: boolean };

function startSession(shared: Shared, raw: Socket): void {
  const { options } = shared;
  let socket = raw;
  let tls = false;
  let mode: Mode = { kind: 'command' };
  let pending = Buffer.alloc(0);
  let current: PeerTransaction | undefined;
  let chunks: Buffer[] = [];
  let answeredEarly = false;
  /** Replies keep their order whatever the delays. */
  let queue = Promise.resolve();

  const act = (name: string, argument: string, usual: string, then?: () => void): void => {
    const behaviour = scripted(options.script?.[name], argument) ?? usual;
    queue = queue.then(async () => {
      const reply = await perform(socket, behaviour);
      if (reply !== undefined && /^[23]/.test(reply)) then?.();
    });
  };

  const startTls = (): void => {
    if (shared.context === undefined) return;
    if (options.injectAfterStartTls !== undefined) return; // the attack has been sent with the 220
    socket.removeAllListeners('data');
    pending = Buffer.alloc(0);
    socket = new TLSSocket(raw, { isServer: true, secureContext: shared.context });
    tls = true;
    attach();
  };

  const attach = (): void => {
    socket.on('error', () => socket.destroy());
    socket.on('_tlsError', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      shared.groups.push(mode.kind === 'command' ? pending.toString('latin1').split('\r\n').length - 1 : 0);
      while (step());
    });
  };

  /** Take one command or piece of data off the input; false when there is none. */
  const step = (): boolean => {
    if (mode.kind === 'data') return takeData();
    if (mode.kind === 'bdat') return takeBdat(mode);
    const end = pending.indexOf('\r\n');
    if (end === -1) return false;
    const line = pending.toString('utf8', 0, end);
    pending = pending.subarray(end + 2);
    shared.commands.push(line);
    if (mode.kind === 'auth') {
      mode = { kind: 'command' };
      answerAuth('AUTHDATA', line);
    } else command(line);
    return true;
  };

  const takeData = (): boolean => {
    const limit = options.dropAfterDataBytes;
    const early = options.replyAfterDataBytes;
    if (limit !== undefined && pending.length >= limit) socket.destroy();
    if (early !== undefined && pending.length >= early.bytes && !answeredEarly) {
      answeredEarly = true;
      socket.write(`${early.reply}\r\n`);
    }
    const empty = pending.subarray(0, 3).toString('latin1') === '.\r\n';
    const end = empty ? 0 : pending.indexOf('\r\n.\r\n');
    if (end === -1) return false;
    const body = pending.subarray(0, empty ? 0 : end + 2);
    pending = pending.subarray(empty ? 3 : end + 5);
    mode = { kind: 'command' };
    endOfMessage(body, Buffer.from(body.toString('latin1').replaceAll(/^\./gm, ''), 'latin1'), false);
    return true;
  };

  const takeBdat = (chunk: { left: number; last: boolean }): boolean => {
    if (pending.length < chunk.left) return false;
    chunks.push(Buffer.from(pending.subarray(0, chunk.left)));
    pending = pending.subarray(chunk.left);
    mode = { kind: 'command' };
    if (!chunk.last) act('BDAT', '', '250 2.0.0 chunk taken');
    else {
      const body = Buffer.concat(chunks);
      chunks = [];
      endOfMessage(body, body, true);
    }
    return true;
  };

  const endOfMessage = (wire: Buffer, data: Buffer, bdat: boolean): void => {
    const done = current ?? { from: '', params: '', to: [], rcptParams: [], data, raw: wire, tls, bdat };
    Object.assign(done, { data: Buffer.from(data), raw: Buffer.from(wire), bdat });
    shared.transactions.push(done);
    current = undefined;
    if (options.protocol !== 'lmtp') return act('BODY', '', '250 2.0.0 taken');
    for (const address of done.to) act('BODY', address, options.perRecipient?.(address) ?? '250 2.0.0 taken');
  };

  const answerAuth = (name: string, line: string): void => {
    const next = scriptedPeek(options.script?.[name], line);
    act(name, line, '235 2.7.0 welcome');
    if (next?.startsWith('334') === true) mode = { kind: 'auth' };
  };

  const command = (line: string): void => {
    const [word = ''] = line.split(' ', 1);
    const verb = word.toUpperCase();
    const argument = line.slice(verb.length + 1);
    switch (verb) {
      case 'EHLO':
      case 'LHLO': {
        const offered = [...(options.capabilities ?? CAPABILITIES)];
        if (shared.context !== undefined && !tls) offered.push('STARTTLS');
        const lines = ['peer.test', ...offered].map(
          (text, i, all) => `250${i === all.length - 1 ? ' ' : '-'}${text}`,
        );
        return act(verb, argument, lines.join('\r\n'));
      }
      case 'STARTTLS':
        return act(
          verb,
          argument,
          `220 2.0.0 go${options.injectAfterStartTls ? `\r\n${options.injectAfterStartTls}` : ''}`,
          startTls,
        );
      case 'AUTH':
        return answerAuth(verb, argument);
      case 'MAIL':
        return act(verb, argument, '250 2.1.0 ok', () => {
          const [, from = '', params = ''] = /^FROM:<([^>]*)> ?(.*)$/i.exec(argument) ?? [];
          current = {
            from,
            params,
            to: [],
            rcptParams: [],
            data: Buffer.alloc(0),
            raw: Buffer.alloc(0),
            tls,
            bdat: false,
          };
        });
      case 'RCPT':
        if (scriptedPeek(options.script?.['MAIL'], '')?.startsWith('5') === true)
          return act('', '', '503 5.5.1 MAIL first');
        return act(verb, argument, '250 2.1.5 ok', () => {
          const [, to = '', params = ''] = /^TO:<(.*?)>(?: (.*))?$/i.exec(argument) ?? [];
          current?.to.push(to);
          current?.rcptParams.push(params);
        });
      case 'DATA': {
        const usual = '354 go on';
        const next = scriptedPeek(options.script?.['DATA'], '') ?? usual;
        if (next.startsWith('354')) {
          mode = { kind: 'data' };
          if (options.readData === false) socket.pause();
        }
        return act(verb, argument, usual);
      }
      case 'BDAT':
        mode = { kind: 'bdat', left: Number(argument.split(' ')[0]), last: / LAST$/i.test(argument) };
        return;
      case 'QUIT':
        return act(verb, argument, '221 2.0.0 bye', () => socket.end());
      default:
        return act(verb, argument, '250 2.0.0 ok');
    }
  };

  if (options.tls?.implicit === true) startTls();
  else attach();
  act('GREETING', '', '220 peer.test ESMTP');
}

function scripted(script: Script | undefined, argument: string): Behaviour | undefined {
  if (typeof script === 'function') return script(argument);
  return Array.isArray(script) ? script.shift() : script;
}

/** The text of the reply that is due, without using it up. */
function scriptedPeek(script: Script | undefined, argument: string): string | undefined {
  const next = typeof script === 'function' ? script(argument) : Array.isArray(script) ? script[0] : script;
  if (next === undefined || typeof next === 'string') return next;
  return 'reply' in next ? next.reply : '';
}

/** Do it; returns the reply that was sent. */
async function perform(socket: Socket, behaviour: Behaviour): Promise<string | undefined> {
  if (typeof behaviour === 'string') {
    socket.write(`${behaviour}\r\n`);
    return behaviour;
  }
  switch (behaviour.do) {
    case 'close':
      socket.end();
      return undefined;
    case 'reset':
      socket.resetAndDestroy();
      return undefined;
    case 'hang':
      return undefined;
    case 'raw':
      socket.write(behaviour.bytes);
      return undefined;
    case 'reply-close':
      socket.end(`${behaviour.reply}\r\n`);
      return behaviour.reply;
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, behaviour.ms));
      socket.write(`${behaviour.reply}\r\n`);
      return behaviour.reply;
  }
}
