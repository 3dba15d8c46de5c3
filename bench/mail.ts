/**
 * Postern beside Postfix + Dovecot on this machine: `node bench/mail.ts [--rounds N] [--quick] [--only NAME,...]`.
 * Needs Debian's postfix (for smtp-source and smtp-sink too), dovecot-imapd and dovecot-lmtpd; the peer also needs root,
 * and is left out with a notice otherwise. Everything runs on 127.0.0.1 from a temporary directory; neither /etc nor
 * the machine's own Postfix and Dovecot are touched. docs/performance.md explains the cells and keeps a run's figures.
 */
import { chmod, mkdir, mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Cell, Context } from './cells/cell.ts';
import { drain } from './cells/drain.ts';
import { idle, inotifyNotice } from './cells/idle.ts';
import { memory } from './cells/memory.ts';
import { startup } from './cells/startup.ts';
import { acceptOnly, throughput } from './cells/throughput.ts';
import { Figures } from './support/figures.ts';
import { run } from './support/processes.ts';
import { freeBase, PORTS_EACH } from './support/ports.ts';
import { defer, isStopping, refuseWhenStopping, undoAll, undoOnSignals } from './support/resources.ts';
import type { MailFormat, Setup } from './support/system.ts';

const CELLS: readonly Cell[] = [startup, memory, ...throughput, acceptOnly, idle, drain];
const QUICK = 0.1;
const FORMATS: readonly MailFormat[] = ['sdbox', 'mdbox', 'maildir'];
const TMPFS_MAGIC = 0x01021994;

const HELP = `node bench/mail.ts [OPTIONS]

  --rounds N          rounds of each cell (3)
  --quick             a tenth of the messages and sessions, one round
  --only NAME,...     some cells: ${CELLS.map((cell) => cell.name).join(', ')}
  --system NAME       only postern, or only peer
  --accounts N        accounts that share the mail of the throughput cells (2)
  --mail-format F     how Dovecot keeps mail: sdbox (default), mdbox or maildir
  --dir DIR           where the temporary directory is made, on the disk to measure (${tmpdir()})
  --port-base N       the first free ports from N on are used (20000)
  --cpu-prof DIR      write a CPU profile of Postern's process there
`;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    system: { type: 'string', default: '' },
    accounts: { type: 'string', default: '2' },
    'mail-format': { type: 'string', default: 'sdbox' },
    dir: { type: 'string', default: tmpdir() },
    'port-base': { type: 'string', default: '20000' },
    'cpu-prof': { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  undoOnSignals();
  const cells = chosenCells();
  const dir = await mkdtemp(join(flags.dir, 'postern-bench-'));
  defer(() => rm(dir, { recursive: true, force: true }));
  try {
    // Postfix's and Dovecot's users must get to their own parts of it.
    await chmod(dir, 0o755);
    const makeSetup = setups(dir);
    const withPostern = flags.system !== 'peer';
    const withPeer = flags.system !== 'postern' && (await peerPossible());
    const figures = new Figures();
    await describeMachine(dir);
    const context: Context = {
      figures,
      rounds: flags.rounds === '' ? (flags.quick ? 1 : 3) : Number(flags.rounds),
      scale: flags.quick ? QUICK : 1,
      withPostern,
      withPeer,
      setup: makeSetup,
      say: (text) => console.log(`  ${text}`),
    };
    await runCells(cells, context);
    const names = [...(withPostern ? ['Postern'] : []), ...(withPeer ? ['Postfix + Dovecot'] : [])];
    console.log(
      `\nmin / median / max of the rounds; the ratio is of medians, over 1 is better for Postern\n`,
    );
    console.log(figures.table(names));
  } finally {
    await undoAll();
  }
}

/** A cell that fails is told and counts as failed; the others still run. */
async function runCells(cells: readonly Cell[], context: Context): Promise<void> {
  for (const cell of cells) {
    if (isStopping()) return;
    console.log(`\n${cell.name}: ${cell.title}`);
    if (cell === idle && context.withPeer) {
      const notice = inotifyNotice(1000 * context.scale);
      if (notice !== undefined) console.log(`  note: ${notice}`);
    }
    try {
      await cell.run(context);
    } catch (error) {
      console.log(`  FAILED: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

function chosenCells(): readonly Cell[] {
  if (flags.only === '') return CELLS;
  const names = flags.only.split(',');
  for (const name of names) {
    if (!CELLS.some((cell) => cell.name === name)) {
      console.error(`there is no cell "${name}"\n\n${HELP}`);
      process.exit(2);
    }
  }
  return CELLS.filter((cell) => names.includes(cell.name));
}

/** Each system gets a directory and ports of its own. */
function setups(dir: string): (name: string) => Promise<Setup> {
  let next = 0;
  const profile = flags['cpu-prof'];
  const nodeFlags = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const format = FORMATS.find((name) => name === flags['mail-format']);
  if (format === undefined) throw new Error(`--mail-format is ${FORMATS.join(', ')}`);
  return async (name) => {
    refuseWhenStopping();
    const portBase = await freeBase(Number(flags['port-base']) + PORTS_EACH * (next % 10));
    const own = join(dir, `${name}${next++}`);
    await mkdir(own);
    const accounts = Number(flags.accounts);
    return { dir: own, portBase, accounts, relayPort: portBase + 999, mailFormat: format, nodeFlags };
  };
}

async function peerPossible(): Promise<boolean> {
  if (process.getuid?.() !== 0) {
    console.log('Postfix + Dovecot are left out: their masters need root.');
    return false;
  }
  for (const command of ['postfix', 'dovecot']) {
    const found = await run('sh', ['-c', `command -v ${command}`], { allowFailure: true });
    if (found.code === 0) continue;
    console.log(
      `Postfix + Dovecot are left out: ${command} is not installed (apt install postfix dovecot-imapd dovecot-lmtpd).`,
    );
    return false;
  }
  return true;
}

/** The first line that a program prints. */
async function first(command: string, ...args: string[]): Promise<string> {
  return (await run(command, args, { allowFailure: true })).stdout.split('\n')[0]?.trim() ?? '?';
}

async function describeMachine(dir: string): Promise<void> {
  const [cpu] = cpus();
  const file = await first('findmnt', '-n', '-o', 'FSTYPE,OPTIONS', '--target', dir);
  console.log(
    `${availableParallelism()} × ${cpu?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${await first('uname', '-r')}, Node ${process.version}`,
  );
  console.log(`disk: ${file}; open files: ${await first('sh', '-c', 'ulimit -n')}`);
  console.log(
    `peer: Postfix ${await first('postconf', '-h', '-d', 'mail_version')}, Dovecot ${await first('dovecot', '--version')}`,
  );
  if ((await statfs(dir)).type === TMPFS_MAGIC)
    console.log('NOTE: this is a tmpfs: nothing here is durable. Take --dir on a disk.');
}
