/**
 * `node scripts/refusal-docs.ts`: write docs/guides/why-refused.md from what a server really says when it refuses. With
 * --check only compare; there the figures of the classifier do not count, which change with each model, nor do seconds.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { testClock } from '../test/support/clock.ts';
import { startJudged } from '../test/support/judged.ts';
import { ANN, CASES_ZONE, type Case, cases } from './refusal-cases.ts';

const PATH = 'docs/guides/why-refused.md';

const HEAD = `# Why was it refused?

<!-- Written by scripts/refusal-docs.ts from what a server says; change the words in scripts/refusal-cases.ts or src/app/cli/trace-*.ts. -->

Somebody calls: "my mail came back". Ask for what their mail server told them. In it stand our answer, and often a case
number (\`7K2QF-M9XHT\`). Then, as root or as the user the server runs as:

\`\`\`
# postern trace 7K2QF-M9XHT          # the case number, in any spelling
# postern trace dan@example.net      # or the sender's address, or the recipient's
# postern trace 203.0.113.9          # or the address of their mail server
\`\`\`

An answer that begins with **4** means "not now": their server tries again by itself, and nothing is lost. One that begins
with **5** means "no": the sender was told. What the filter refused after it had arrived is kept for 14 days, and
\`postern vault release CASE\` delivers it after all.

All outputs below are real, from a server \`mail.example.org\`. Further: [where is my mail](where-is-my-mail.md) for what is not
a refusal of ours (also what *others* refused of yours, and addresses on our
[suppression list](where-is-my-mail.md#it-was-not-even-tried)), [unwanted mail](spam.md) for the filter, [DNS lists and other
checks](dns-lists.md).

| the answer says | section |
|---|---|
`;

/** A clamd that finds something in messages with this subject. */
async function scanner(): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer((socket) => {
    let got: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (!got.subarray(-4).equals(Buffer.alloc(4))) return;
      socket.end(got.includes('Subject: infected') ? 'stream: Win.Test.EICAR_HDB-1 FOUND\0' : 'stream: OK\0');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** Ids are random: the same for all, of the same length. */
function masked(text: string): string {
  return text
    .replaceAll(/\b[0-9][0-9a-hjkmnp-tv-z]{17}\b/g, '1m8znf4kxhq2rvw9t7')
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/g, '7K2QF-M9XHT')
    .replaceAll(/letter-\d+@/g, 'letter-1@');
}

/** The answer that a trace shows, in short, for the table. */
function answerIn(trace: string): string {
  const [, answer = ''] = /We answered: ([^]*?)\n {4}(?:On port|->|Service)/.exec(trace) ?? [];
  const flat = answer.replaceAll(/\s+/g, ' ').replace(/ \(case \S+\)/, '');
  return flat.length > 70 ? `${flat.slice(0, flat.lastIndexOf(' ', 67))} ...` : flat;
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > 120) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

async function page(): Promise<string> {
  const clock = testClock(Date.UTC(2026, 0, 31, 14, 0, 0));
  const clamd = await scanner();
  const mx = await startJudged({
    clock,
    plaintextAuth: true,
    accounts: [{ address: ANN, role: 'admin' }],
    zone: CASES_ZONE,
    config: { hostname: 'mail.example.org' },
  });
  try {
    const sections: string[] = [];
    const rows: string[] = [];
    for (const one of cases) {
      await mx.want({ clamav: { address: clamd.address }, ...one.settings });
      const { term, trace } = await told(one);
      const answer = answerIn(trace);
      if (answer !== '') rows.push(`| \`${answer}\` | [${one.title}](#${anchor(one.title)}) |\n`);
      sections.push(
        `## ${one.title}\n\n${wrapped(one.prose)}\n\n\`\`\`\n# postern trace ${term}\n${trace.trimEnd()}\n\`\`\`\n`,
      );
      await clock.advance(1000);
    }
    return `${HEAD}${rows.join('')}\n${sections.join('\n')}`;
  } finally {
    await mx.close();
    await clamd.close();
  }

  async function told(one: Case): Promise<{ term: string; trace: string }> {
    const term = await one.run(mx, clock);
    const shown = masked(await mx.trace(...term.split(' ')));
    const also =
      one.also === undefined ? '' : `\n# postern ${one.also.join(' ')}\n${await mx.said(...one.also)}`;
    return { term: masked(term), trace: `${shown}${also}` };
  }
}

/** Without what the classifier says of a message: its figures and words. */
function skeleton(text: string): string {
  return text
    .replaceAll(/\d\d:\d\d(?::\d\d)?|\d+ min left/g, '#')
    .replaceAll(/^ {4}Reasons [^]*?(?=\n\n|\n {4}\S)/gm, '')
    .replaceAll(/^ {4}Probability of spam .*$/gm, '')
    .replaceAll(/^ {4}What would change it[^]*?(?=\n {4}\S)/gm, '');
}

const fresh = await page();
if (process.argv.includes('--check')) {
  if (skeleton(readFileSync(PATH, 'utf8')) !== skeleton(fresh)) {
    console.error(`${PATH} is not what a server says: run "node scripts/refusal-docs.ts"`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(PATH), { recursive: true });
  writeFileSync(PATH, fresh);
}
