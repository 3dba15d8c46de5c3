/**
 * `node bench/faults.ts [--messages 1000] [--only TEXT]`: mail that comes in through Amazon SES, and mail that leaves by
 * two ways, while what can go wrong does. A real server is killed, S3, SNS, SQS, SES, DNS and MX hosts fail and lie (an
 * emulator and peers on this machine); afterwards every message is looked for. Prints a table in Markdown; exit status
 * 1 when a message was lost, or doubled where that can be known. A thousand messages take about half an hour.
 */
import { parseArgs } from 'node:util';
import { FAILOVER_SCENARIOS, runFailover } from '../test/hybrid/failover.ts';
import { INTAKE_SCENARIOS, runIntake } from '../test/hybrid/intake-faults.ts';

const { values } = parseArgs({ options: { messages: { type: 'string' }, only: { type: 'string' } } });
const messages = Number(values.messages ?? 1000);
const wanted = (name: string): boolean => values.only === undefined || name.includes(values.only);
let bad = 0;

function row(cells: readonly (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

process.stdout.write('## Coming in\n\n');
row([
  'what goes wrong',
  'messages',
  'copies due',
  'delivered',
  'lost',
  'doubled',
  'left in the bucket',
  'kills',
]);
row(['---', '---', '---', '---', '---', '---', '---', '---']);
for (const scenario of INTAKE_SCENARIOS.filter(({ name }) => wanted(name))) {
  const found = await runIntake(scenario, messages);
  const { expected, delivered, lost, doubled, left, kills } = found;
  row([scenario.name, found.messages, expected, delivered, lost, doubled, left, kills]);
  bad += lost + doubled + left;
}

process.stdout.write('\n## Going out\n\n');
row([
  'what goes wrong',
  'accepted',
  'by the MX',
  'by SES',
  'returned',
  'lost',
  'doubled by SES',
  'doubled by the MX',
  'kills',
  'attempts cut off',
]);
row(['---', '---', '---', '---', '---', '---', '---', '---', '---', '---']);
for (const scenario of FAILOVER_SCENARIOS.filter(({ name }) => wanted(name))) {
  const found = await runFailover(scenario, messages);
  const { accepted, direct, ses, bounced, lost, doubled, doubledDirect, kills, interrupted } = found;
  row([
    scenario.name,
    accepted,
    direct,
    ses,
    bounced,
    lost,
    doubled - doubledDirect,
    doubledDirect,
    kills,
    interrupted,
  ]);
  bad += lost + doubled - doubledDirect;
}
process.exit(bad === 0 ? 0 : 1);
