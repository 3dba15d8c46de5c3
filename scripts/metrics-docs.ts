/**
 * `node scripts/metrics-docs.ts`: write docs/reference/metrics.md from the metrics that a server registers; with --check
 * only compare.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type RegisteredMetric, registeredMetrics } from '../test/support/metrics.ts';

const PATH = 'docs/reference/metrics.md';

const HEAD = `# Metrics

<!-- Written by scripts/metrics-docs.ts from what a server registers; change the words where the metric is made. -->

\`/metrics\` on the HTTP port, in the Prometheus text format, or OpenMetrics 1.0 when the client asks for it (\`Accept:
application/openmetrics-text\`). [Monitoring](../guides/monitoring.md) says what to watch, and how to get dashboards and
alert rules. A metric with labels appears with its first event. Histograms have \`_bucket\`, \`_sum\` and \`_count\`.

`;

function rows(metrics: readonly RegisteredMetric[]): string {
  const cells = metrics.map(({ name, type, labels, help }) => {
    const text = help.replaceAll('|', '\\|');
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${text} |\n`;
  });
  return `| name | type | labels | meaning |\n|---|---|---|---|\n${cells.join('')}`;
}

const metrics = await registeredMetrics();
const own = metrics.filter(({ name }) => !/^(?:process|nodejs)_/.test(name));
const process_ = metrics.filter(({ name }) => /^(?:process|nodejs)_/.test(name));
const text = `${HEAD}## The server\n\n${rows(own)}\n## The process\n\n${rows(process_)}`;
if (process.argv.includes('--check')) {
  let before = '';
  try {
    before = readFileSync(PATH, 'utf8');
  } catch {
    // Then it is stale too.
  }
  if (before !== text) {
    console.error(`${PATH} is not what the code says: run "node scripts/metrics-docs.ts"`);
    process.exitCode = 1;
  }
} else {
  mkdirSync(dirname(PATH), { recursive: true });
  writeFileSync(PATH, text);
  console.log(`wrote ${PATH}`);
}
