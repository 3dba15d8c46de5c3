/** `node scripts/cli-docs.ts`: write docs/reference/cli.md from the table of commands; with --check only compare. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CliCommand } from '../src/app/cli/command.ts';
import { optionName, usage } from '../src/app/cli/help.ts';
import { commandTable, COMMON_OPTIONS } from '../src/app/cli/table.ts';

const PATH = 'docs/reference/cli.md';

const HEAD = `# The command line

<!-- Written by scripts/cli-docs.ts from the table in src/app/cli; change it there. -->

These commands talk to a running server through a Unix socket in its data directory; what they do is checked and
recorded there (\`postern audit\`). They find the server by \`--data DIR\`, else \`POSTERN_DATA\`, else \`./.postern\` in the
current directory (the try-out), else \`/var/lib/postern\`, and have to run as the user the server runs as, or as root. In
a checkout write \`npm exec -- postern ...\`. \`postern try\`, \`postern init\` and \`postern serve\` start servers; they have a
\`--help\` of their own.

Exit status: 0 done, 1 refused by the server or none there, 2 not understood or not confirmed. With \`--json\` the answer,
or \`{"error": {"kind", "message"}}\`, is JSON on standard output.

Options of every command:

`;

function optionRows(options: CliCommand['options']): string {
  return Object.entries(options)
    .map(([name, option]) => `- \`${optionName(name, option)}\`: ${option.help}\n`)
    .join('');
}

function entry(command: CliCommand): string {
  const args = command.args.map(({ name, help }) => `- \`${name}\`: ${help}\n`).join('');
  const list = args + optionRows(command.options);
  const details = command.details === undefined ? '' : ` ${command.details}`;
  const summary = `${command.summary.slice(0, 1).toUpperCase()}${command.summary.slice(1)}.`;
  return `### ${usage(command).replace(' [options]', '')}\n\n${summary}${details}\n\n${list === '' ? '' : `${list}\n`}\`\`\`\npostern ${command.example}\n\`\`\`\n\n`;
}

function page(): string {
  const groups = [...new Set(commandTable.map(({ words }) => words[0] ?? ''))];
  const parts = groups.map((group) => {
    const commands = commandTable.filter(({ words }) => words[0] === group);
    return `## ${group}\n\n${commands.map(entry).join('')}`;
  });
  return `${`${HEAD}${optionRows(COMMON_OPTIONS)}\n${parts.join('')}`.trimEnd()}\n`;
}

if (process.argv.includes('--check')) {
  if (readFileSync(PATH, 'utf8') !== page()) {
    console.error(`${PATH} is not what the table of commands says: run "node scripts/cli-docs.ts"`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(PATH), { recursive: true });
  writeFileSync(PATH, page());
}
