import { lineClient } from '../support/smtp-client.ts';
import { type Beside, openBeside } from './beside.ts';
import { Actor, LOOSE, type Person, SHARED } from './actor.ts';
import { checkpoint } from './checkpoint.ts';
import { Bye, Connection } from './connection.ts';
import { pause } from './mailboxes.ts';
import { Random } from './random.ts';
import { step } from './step.ts';
import { must, Violation, World } from './world.ts';

export interface StressOptions {
  readonly imap: number;
  readonly lmtp: number;
  readonly password: string;
  readonly seed: number;
  readonly sessions: number;
  readonly milliseconds: number;
  /** Milliseconds between two times at which all stop to compare. */
  readonly between: number;
  /** Messages that a mailbox should not have more of. */
  readonly full: number;
  /** Milliseconds that a session waits between two commands, at most. */
  readonly think?: number;
  /** Lines of each session that are shown when something was wrong. */
  readonly lines?: number;
  /** JMAP clients and people with a browser in the same mailboxes; `http`: the port they are served at. */
  readonly beside?: { readonly http: number; readonly jmap: number; readonly web: number };
  /** Called while all are quiet: whatever else is wrong. */
  readonly inspect?: () => Promise<readonly string[]>;
  readonly progress?: (text: string) => void;
}

export interface StressResult {
  readonly commands: number;
  readonly checkpoints: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What was wrong, each with the last lines of its session. */
  readonly violations: readonly string[];
}

/** Violations after which there is no use in going on. */
const ENOUGH = 10;

/** Many sessions on shared mailboxes that do what chance says and check what they hear. */
export async function stress(options: StressOptions): Promise<StressResult> {
  const { seed, sessions, imap, password } = options;
  const world = new World(options.lines);
  const people: readonly Person[] = [
    {
      name: 'alice',
      login: `alice@example.test "${password}"`,
      boxes: ['INBOX', 'INBOX', 'Work', LOOSE, SHARED],
    },
    { name: 'bob', login: `bob@example.test "${password}"`, boxes: ['Pool', 'Pool', 'INBOX'] },
  ];
  await prepare(world, imap, people);
  const setting = { world, port: imap, full: options.full };
  const actors = Array.from({ length: sessions }, (_, id) => {
    const [alice, bob] = people;
    must(alice !== undefined && bob !== undefined, () => 'nobody there');
    return new Actor(setting, id % 4 === 3 ? bob : alice, id, new Random(seed * 1000 + id));
  });
  const beside =
    options.beside === undefined
      ? []
      : await openBeside({ think: 0, ...options, ...options.beside }, world, people);
  world.others = beside.length > 0;
  try {
    return await new Run(options, world, people, actors, beside).go();
  } finally {
    for (const each of beside) await each.close();
  }
}

async function prepare(world: World, port: number, people: readonly Person[]): Promise<void> {
  for (const person of people) {
    const connection = await Connection.open(world, port);
    const answer = await connection.send(`LOGIN ${person.login}`);
    must(answer.status === 'OK', () => `LOGIN as ${person.name}: ${answer.status} [${answer.code}]`);
    for (const name of new Set(person.boxes)) if (name !== SHARED) await connection.send(`CREATE ${name}`);
    if (person.name === 'bob') await connection.send('SETACL Pool alice@example.test lrswipkxte');
    await connection.send('LOGOUT');
    connection.hangUp();
  }
}

/** The selected mailbox, and what its answers depend on. */
function where({ view, connection }: Actor): string {
  const traits = [
    view === undefined ? 'no mailbox' : view.name,
    ...(view?.readOnly === true ? ['read-only'] : []),
    ...(connection.qresync ? ['QRESYNC'] : connection.condstore ? ['CONDSTORE'] : []),
    ...(connection.notified ? ['NOTIFY'] : []),
  ];
  return traits.join(', ');
}

class Run {
  readonly #options: StressOptions;
  readonly #world: World;
  readonly #people: readonly Person[];
  readonly #actors: readonly Actor[];
  readonly #beside: readonly Beside[];
  readonly #violations: string[] = [];
  #commands = 0;
  #checkpoints = 0;
  #over = false;

  constructor(
    options: StressOptions,
    world: World,
    people: readonly Person[],
    actors: readonly Actor[],
    beside: readonly Beside[],
  ) {
    this.#beside = beside;
    this.#options = options;
    this.#world = world;
    this.#people = people;
    this.#actors = actors;
  }

  async go(): Promise<StressResult> {
    const { milliseconds, between } = this.#options;
    const end = Date.now() + milliseconds;
    await Promise.all(this.#actors.map((actor) => this.#connect(actor)));
    while (Date.now() < end && this.#violations.length < ENOUGH)
      await this.#round(Math.min(end, Date.now() + between));
    for (const actor of this.#actors) actor.connection.hangUp();
    return {
      commands: this.#commands,
      checkpoints: this.#checkpoints,
      counts: this.#world.counts,
      violations: this.#violations,
    };
  }

  /** Everybody at work, with mail coming in; then quiet, and a look at it all. */
  async #round(until: number): Promise<void> {
    this.#over = false;
    const delivering = this.#deliver();
    await Promise.all([
      ...this.#actors.map((actor) => this.#work(actor, until)),
      ...this.#beside.map((each) => this.#also(() => each.work(until))),
    ]);
    this.#over = true;
    await delivering;
    for (const each of this.#beside) await this.#also(() => each.rest());
    await checkpoint(this.#world, this.#options.imap, this.#people, this.#actors, (error, actor) =>
      this.#failed(error, actor),
    );
    for (const each of this.#beside) await this.#also(() => each.check());
    for (const problem of (await this.#options.inspect?.()) ?? []) this.#violations.push(problem);
    for (const actor of this.#actors) if (actor.connection.failure !== undefined) await this.#connect(actor);
    this.#checkpoints++;
    const { commands, violations } = { commands: this.#commands, violations: this.#violations.length };
    this.#options.progress?.(`${commands} steps, ${this.#checkpoints} checkpoints, ${violations} violations`);
  }

  async #work(actor: Actor, until: number): Promise<void> {
    while (Date.now() < until && this.#violations.length < ENOUGH) {
      try {
        await step(actor);
        if (actor.connection.failure !== undefined) throw actor.connection.failure;
      } catch (error) {
        this.#failed(error, actor);
        await this.#connect(actor);
      }
      this.#commands++;
      const { think = 0 } = this.#options;
      if (think > 0) await pause(actor.random.below(think));
    }
  }

  async #also(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#failed(error, undefined);
    }
  }

  async #connect(actor: Actor): Promise<void> {
    try {
      await actor.connect();
    } catch (error) {
      this.#failed(error, actor);
    }
  }

  #failed(error: unknown, actor: Actor | undefined): void {
    if (actor?.view !== undefined) this.#world.blurred.add(actor.view.box);
    if (actor?.excused(error)) {
      this.#world.count('lost its mailbox');
      return;
    }
    const text =
      error instanceof Violation || error instanceof Bye ? error.message : String((error as Error).stack);
    const who =
      actor === undefined
        ? 'at a checkpoint'
        : `session ${actor.id} (${actor.person.name}, seed ${this.#options.seed}, ${where(actor)})`;
    const lines = (actor?.connection?.log ?? []).map((line) => `  ${line.replaceAll('\r\n', '\\r\\n')}`);
    const violation = [`${who}: ${text}`, ...lines].join('\n');
    this.#violations.push(violation);
    this.#options.progress?.(violation);
    actor?.connection?.hangUp();
    actor?.forget();
  }

  /** Mail for alice by LMTP, a message now and then. */
  async #deliver(): Promise<void> {
    const client = await lineClient(this.#options.lmtp);
    const random = new Random(this.#options.seed);
    await client.reply();
    await client.command('LHLO stress.test');
    while (!this.#over) {
      await client.command('MAIL FROM:<sender@stress.test>');
      await client.command('RCPT TO:<alice@example.test>');
      await client.command('DATA');
      const reply = await client.command(
        `Subject: stress delivered\r\nMessage-ID: <${this.#world.tick()}@lmtp.stress.test>\r\n\r\nlorem\r\n.`,
      );
      this.#world.count(`delivered ${reply.slice(0, 3)}`);
      await pause(50 + random.below(200));
    }
    client.close();
  }
}
