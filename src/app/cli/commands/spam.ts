import { operations } from '../../../servers/http/admin/operations.ts';
import { type Example, train } from '../../../flow/spam/classifier/index.ts';
import { measure, type Measured, type Scored } from '../../../flow/spam/measure.ts';
import { type Call, type CliCommand, type Outcome, UsageError } from '../command.ts';
import { type Labelled, labelled } from '../labelled.ts';
import { mailFiles, messagesOf } from '../mail-files.ts';
import { plain } from '../plain-text.ts';
import { featuresOf, keepModel, modelFor, modelToTrain, scoreOf } from '../spam-model.ts';

const { filter } = operations;

/** Messages learned together; more are learned in such batches, well mixed. */
const BATCH = 20_000;
/** Octets of a message that is taught to a server. */
const TAUGHT_MAX = 512 * 1024;

/** Digits of a probability: as many as keep apart what is almost certain from what is more so. */
const DIGITS = 12;

const model = { value: 'DIR', help: 'a model of your own in this folder' } as const;
const labels = {
  ham: { value: 'PATH', help: 'good mail: a file or folder (may be given several times)', many: true },
  spam: { value: 'PATH', help: 'unwanted mail: a file or folder (may be given several times)', many: true },
} as const;
const PATHS = { name: 'PATH', help: 'files or folders', many: true } as const;

function named({ args, texts }: Call): Promise<Labelled[]> {
  return labelled({ args, ham: texts('ham'), spam: texts('spam') });
}

async function score({ args, io, text, on }: Call): Promise<Outcome> {
  const by = await modelFor(text('model'));
  const values: { path: string; probability: number; logit: number; junk: boolean }[] = [];
  for await (const { path, octets } of mailFiles(args)) {
    const { probability, logit, junk } = scoreOf(by, octets);
    // As they come: thousands of files take a while.
    if (on('json')) values.push({ path, probability, logit, junk });
    else io.out(`${probability.toFixed(DIGITS)} ${plain(path)}\n`);
  }
  return { value: values, text: () => '' };
}

async function trainHere(call: Call, directory: string): Promise<Outcome> {
  const files = await named(call);
  const to = await modelToTrain(directory);
  const counts = { ham: 0, spam: 0 };
  const mixed = shuffled(files);
  for (let at = 0; at < mixed.length; at += BATCH) {
    const examples: Example[] = [];
    for (const { path, label } of mixed.slice(at, at + BATCH)) {
      for await (const { octets } of messagesOf(path)) {
        examples.push({ features: featuresOf(octets), label });
        counts[label]++;
      }
    }
    train(to, examples);
  }
  await keepModel(directory, to);
  const value = { ...counts, model: directory, learned: { ham: to.ham, spam: to.spam } };
  const all = `The model has learned ${to.ham} good and ${to.spam} unwanted in all.`;
  return { value, text: () => `Learned ${counts.ham} good and ${counts.spam} unwanted messages. ${all}\n` };
}

/** The same order each time, good and unwanted well mixed. */
function shuffled<T>(all: readonly T[]): T[] {
  const order = [...all];
  let state = 12_345;
  for (let i = order.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const j = state % (i + 1);
    const [a, b] = [order[i], order[j]];
    if (a !== undefined && b !== undefined) [order[i], order[j]] = [b, a];
  }
  return order;
}

async function teachServer(call: Call): Promise<Outcome> {
  const account = call.text('account');
  const counts = { ham: 0, spam: 0 };
  for (const { path, label } of await named(call)) {
    for await (const { octets } of messagesOf(path)) {
      const message = octets.subarray(0, TAUGHT_MAX).toString('base64');
      await call.admin.call(filter.teach, { label, message, ...(account !== undefined && { account }) });
      counts[label]++;
    }
  }
  const whose = account === undefined ? 'for the whole site' : `for ${account}`;
  return {
    value: counts,
    text: () => `Learned ${counts.ham} good and ${counts.spam} unwanted messages ${plain(whose)}.\n`,
  };
}

async function evaluateHere(call: Call): Promise<Outcome> {
  const by = await modelFor(call.text('model'));
  const scored: Scored[] = [];
  for (const { path, label } of await named(call)) {
    for await (const { octets } of messagesOf(path)) {
      const { logit, junk } = scoreOf(by, octets);
      scored.push({ spam: label === 'spam', score: logit, junk });
    }
  }
  const value = measure(scored);
  if (value.ham === 0 || value.spam === 0)
    throw new UsageError('to measure anything it takes both: --ham PATH and --spam PATH');
  return { value, text: () => measuredText(value) };
}

function measuredText(m: Measured): string {
  const rows = [
    ['good messages', String(m.ham)],
    ['unwanted messages', String(m.spam)],
    ['1-ROCA', `${m.missRoca.toFixed(4)} %  (how often a good one scores above an unwanted one)`],
    ['good mail lost at 98 % caught', `${m.lossAt98.toFixed(2)} %`],
    ['good mail lost at 99 % caught', `${m.lossAt99.toFixed(2)} %`],
    [
      'at the default threshold',
      `${m.hamLost.toFixed(2)} % of the good in Junk, ${m.spamMissed.toFixed(2)} % of the unwanted missed`,
    ],
  ];
  return rows.map(([name = '', value = '']) => `${name.padEnd(31)}${value}\n`).join('');
}

export const spamCommands: readonly CliCommand[] = [
  {
    words: ['spam', 'score'],
    summary: 'how likely messages are spam, by their content alone',
    details:
      'One line each: probability and file. Needs no server. Without --model it judges by the model that comes with the program.',
    args: [PATHS],
    options: { model },
    example: 'spam score ~/Maildir/cur',
    offline: true,
    run: score,
  },
  {
    words: ['spam', 'train'],
    summary: 'learn good and unwanted mail from files and folders',
    details:
      'With --model DIR into a model of your own, without a server. Else the running server learns it: for one account, or for the whole site. Folders named ham or spam (or that hold such) need no --ham and --spam.',
    args: [{ ...PATHS, optional: true }],
    options: {
      ...labels,
      model,
      account: { value: 'ADDRESS', help: 'teach the server for this account only' },
    },
    example: 'spam train --model /tmp/mine --ham good --spam bad',
    offline: true,
    async run(call) {
      const directory = call.text('model');
      return directory === undefined ? teachServer(call) : trainHere(call, directory);
    },
  },
  {
    words: ['spam', 'eval'],
    summary: 'measure a model on mail that is known to be good or unwanted',
    details: 'Needs no server. The mail should be other mail than the model has learned.',
    args: [{ ...PATHS, optional: true }],
    options: { ...labels, model },
    example: 'spam eval --model /tmp/mine --ham old/good --spam old/bad',
    offline: true,
    run: evaluateHere,
  },
];
