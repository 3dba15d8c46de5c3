import { parseResponse, type Response } from './parse.ts';
import type { View } from './view.ts';
import { openWire, type Wire } from './wire.ts';
import { must, Violation, type World } from './world.ts';

const SHOWN = 300;

export interface Answer {
  readonly status: string;
  readonly code: string;
  readonly untagged: readonly Response[];
  /** UIDs of messages whose flags were told meanwhile. */
  readonly told: ReadonlySet<number>;
}

export interface SendOptions {
  /** EXPUNGE is forbidden until it is answered. */
  readonly holds?: boolean;
  /** Called with the answer before anything that comes after it is looked at. */
  readonly done?: (answer: Answer) => void;
}

interface Pending {
  readonly tag: string;
  readonly text: string;
  /** No EXPUNGE may come while this is being answered. */
  readonly holds: boolean;
  readonly begun: number;
  readonly untagged: Response[];
  readonly told: Set<number>;
  readonly done: ((answer: Answer) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** The server said BYE, or closed. */
export class Bye extends Error {}

/** One connection: commands go out, what comes is taken in by the view of the mailbox at once. */
export class Connection {
  readonly log: string[] = [];
  view: View | undefined;
  /** With NOTIFY and without DELAYED messages may go at any time between commands. */
  immediate = false;
  /** Told at any time: what was asked for by NOTIFY. */
  notified = false;
  qresync = false;
  condstore = false;
  /** What ended it. */
  failure: Error | undefined;
  bye: string | undefined;
  #tags = 0;
  /** What has not been answered. */
  get waiting(): readonly string[] {
    return this.#pending.map(({ text }) => text);
  }

  #go: (() => void) | undefined;
  readonly #world: World;
  readonly #wire: Wire;
  readonly #pending: Pending[] = [];
  #selecting = false;

  static async open(world: World, port: number): Promise<Connection> {
    const wire = await openWire(port);
    const connection = new Connection(world, wire);
    await connection.#greeting();
    void connection.#read();
    return connection;
  }

  constructor(world: World, wire: Wire) {
    this.#world = world;
    this.#wire = wire;
  }

  async #greeting(): Promise<void> {
    const line = await this.#wire.response();
    must(line?.startsWith('* OK ') === true, () => `greeted with ${line}`);
  }

  note(line: string): void {
    this.log.push(line.length > SHOWN ? `${line.slice(0, SHOWN)}... (${line.length})` : line);
    if (this.log.length > this.#world.keptLines) this.log.shift();
  }

  /** Send without waiting; the answer comes later. */
  send(text: string, { holds = false, done }: SendOptions = {}): Promise<Answer> {
    const tag = `t${++this.#tags}`;
    this.note(`C: ${tag} ${text}`);
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      const begun = this.#world.tick();
      this.#pending.push({ tag, text, holds, begun, untagged: [], told: new Set(), done, resolve, reject });
    });
    // Somebody who hangs up does not wait for it.
    answer.catch(() => undefined);
    this.#wire.send(`${tag} ${text}\r\n`);
    return answer;
  }

  /** A command whose answer is looked at by the caller alone. */
  selectedOnly(text: string): Promise<Answer> {
    return this.selecting(text);
  }

  /** Octets that are no command: DONE, or the beginning of one. */
  raw(text: string): void {
    this.note(`C~ ${text}`);
    this.#wire.send(text);
  }

  /** SELECT and EXAMINE: what they tell is not about the mailbox in view. */
  selecting(text: string): Promise<Answer> {
    this.view = undefined;
    this.#selecting = true;
    return this.send(text, {
      done: () => {
        this.#selecting = false;
      },
    });
  }

  /** Resolves at the next "+". */
  go(): Promise<void> {
    return new Promise((resolve) => {
      this.#go = resolve;
    });
  }

  compress(): void {
    this.#wire.compress();
  }

  hangUp(): void {
    this.note('(hung up)');
    this.failure ??= new Bye('hung up');
    this.#wire.destroy();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const line = await this.#wire.response();
        if (this.failure instanceof Bye) return this.#end(this.failure);
        if (line === undefined)
          return this.#end(new Bye(this.bye ?? `closed (${this.#wire.ends.join(', ')})`));
        this.note(`S: ${line}`);
        this.#take(parse(line));
      }
    } catch (error) {
      this.#wire.destroy();
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #end(error: Error): void {
    this.failure = error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
    this.#go?.();
  }

  #take(response: Response): void {
    if (response.kind === 'tagged') return this.#answered(response);
    if (response.kind === 'go') {
      must(this.#go !== undefined, () => 'a continuation that nobody asked for');
      this.#go();
      this.#go = undefined;
      return;
    }
    if (response.kind === 'bye') {
      this.bye = response.text;
      return;
    }
    this.#pending[0]?.untagged.push(response);
    this.#world.count(`told ${response.kind}`);
    if (!this.#selecting) this.absorb(response);
  }

  #answered({ tag, status, code }: Extract<Response, { kind: 'tagged' }>): void {
    const pending = this.#pending.shift();
    must(pending?.tag === tag, () => `an answer to ${tag}, not to ${pending?.tag}`);
    this.#world.count(
      `${(pending?.text ?? '')
        .split(' ', 2)
        .join(' ')
        .replace(/^(?!UID)(\S+) .*/, '$1')} ${status}`,
    );
    const answer = { status, code, untagged: pending.untagged, told: pending.told };
    try {
      pending.done?.(answer);
    } catch (error) {
      pending.reject(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    pending.resolve(answer);
  }

  /** Take in what is about the selected mailbox. */
  absorb(response: Response): void {
    const { view } = this;
    const first = this.#pending[0];
    const kind = response.kind;
    if (
      kind !== 'exists' &&
      kind !== 'expunge' &&
      kind !== 'vanished' &&
      kind !== 'fetch' &&
      kind !== 'recent'
    )
      return;
    must(view !== undefined, () => `${kind} without a mailbox`);
    if (kind === 'exists') view.exists(response.number);
    else if (kind === 'recent')
      must(
        response.number <= view.entries.length,
        () => `${response.number} RECENT of ${view.entries.length}`,
      );
    else if (kind === 'fetch') {
      const { uid } = view.fetched(response, this.notified ? undefined : first?.begun);
      if (response.items.has('FLAGS')) first?.told.add(uid);
    } else if (kind === 'vanished' && response.earlier) return;
    else {
      const forbidden = (first === undefined || first.holds) && !this.immediate;
      must(!forbidden, () => `${kind} while it is forbidden, during ${first?.text ?? 'no command'}`);
      must(
        (kind === 'vanished') === this.qresync,
        () => `${kind} ${this.qresync ? 'with' : 'without'} QRESYNC`,
      );
      if (kind === 'vanished') view.vanished(response.uids);
      else view.expunge(response.number);
    }
  }
}

function parse(line: string): Response {
  try {
    return parseResponse(line);
  } catch (error) {
    throw new Violation(`${error instanceof Error ? error.message : error}: ${line.slice(0, 300)}`);
  }
}
