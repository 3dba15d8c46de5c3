/** `npm run check`: types, lint, layers, sizes, clock, docs. What these find is what a reviewer should not have to. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { falseClaims } from './docs-claims.ts';
import { brokenLinks } from './docs-links.ts';
import { missingProofs } from './hardening.ts';

const LAYERS = ['base', 'mail', 'net', 'data', 'flow', 'servers', 'app'];
/** Inside flow only these may look at each other (inbound -> spam, delivery, outbound; ...). */
const FLOW: Record<string, readonly string[]> = {
  inbound: ['spam', 'delivery', 'outbound', 'sieve'],
  submission: ['outbound', 'delivery', 'sieve'],
  outbound: ['delivery', 'sieve'],
  /** Its replies and redirects go into the queue as all do. */
  sieve: ['delivery', 'outbound', 'spam'],
  backup: ['sieve'],
  /** Its words are checked against all that is refused, and are those of the rules. */
  explain: ['sieve', 'inbound', 'spam'],
  /** Where the settings use SES. */
  'ses-setup': ['outbound', 'ses-inbound'],
  reports: ['outbound', 'feedback'],
  feedback: ['outbound', 'delivery'],
  relay: ['outbound'],
  /** It looks at what every other part depends on. */
  doctor: ['outbound', 'ses-inbound', 'reports', 'lookup', 'housekeeping', 'alerts'],
  alerts: ['outbound', 'delivery'],
  'ses-inbound': ['inbound', 'outbound', 'delivery', 'spam'],
};
const MAX_LINES = 400;
const MAX_FUNCTION_LINES = 60;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

const problems: string[] = [];
const sources: Source[] = globSync('src/**/*.ts').map((path) => {
  const text = readFileSync(path, 'utf8');
  return { path, text, lines: text.split('\n') };
});

for (const source of sources) {
  checkLayer(source);
  if (!source.path.endsWith('.test.ts')) {
    checkClock(source);
    checkSql(source);
    checkSize(source);
  }
}
checkRfcIndex();
for (const link of brokenLinks()) problems.push(link);
for (const claim of falseClaims()) problems.push(claim);
for (const proof of missingProofs()) problems.push(proof);
run('tsc', ['-p', '.']);
run('tsc', ['-p', 'web']);
run('tsc', ['-p', 'test/web']);
run('tsc', ['-p', 'web/src/service-worker']);
run('oxlint', ['--quiet', 'src', 'test', 'scripts', 'bench', 'web/src']);
run('biome', ['format', '.']);
generated('scripts/docs.ts');
generated('scripts/cli-docs.ts');
generated('scripts/refusal-docs.ts');
generated('scripts/metrics-docs.ts');
generated('scripts/dashboards.ts');

if (problems.length > 0) {
  console.error(`${problems.join('\n')}\n${problems.length} problem(s)`);
  process.exit(1);
}
console.log(`check: ${sources.length} source files, nothing to report`);

function run(command: string, args: readonly string[]): void {
  const result = spawnSync(join('node_modules', '.bin', command), args, { encoding: 'utf8' });
  if (result.status !== 0) problems.push(`${command}:\n${result.stdout}${result.stderr}`);
}

/** Pages that are made from code say what the code says. */
function generated(script: string): void {
  const result = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  if (result.status !== 0) problems.push(`${result.stdout}${result.stderr}`.trimEnd());
}

function imports(source: Source): string[] {
  const found: string[] = [];
  for (const match of source.text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)) {
    const target = match[1];
    if (target !== undefined) found.push(normalize(join(dirname(source.path), target)));
  }
  return found;
}

function checkLayer(source: Source): void {
  const [, layer = '', part = ''] = source.path.split('/');
  const isTest = source.path.endsWith('.test.ts') || source.path.endsWith('.contract.ts');
  for (const target of imports(source)) {
    const [top, targetLayer = '', targetPart = ''] = target.split('/');
    if (top !== 'src') {
      if (!isTest) problems.push(`${source.path}: imports ${target}, which is outside src/`);
      continue;
    }
    if (LAYERS.indexOf(targetLayer) > LAYERS.indexOf(layer)) {
      problems.push(`${source.path}: ${layer} may not import ${targetLayer} (${relative('src', target)})`);
    }
    if (isTest || targetLayer !== layer || targetPart === part) continue;
    if (layer === 'servers' && !targetPart.endsWith('.ts'))
      problems.push(`${source.path}: servers never import each other (${target})`);
    if (
      layer === 'flow' &&
      !targetPart.endsWith('.ts') &&
      !part.endsWith('.ts') &&
      !(FLOW[part] ?? []).includes(targetPart)
    ) {
      problems.push(`${source.path}: inside flow, ${part} may not import ${targetPart}`);
    }
  }
}

function checkClock(source: Source): void {
  if (source.path === 'src/base/clock.ts') return;
  const forbidden =
    /\b(Date\.now|new Date\(\)|performance\.now|setTimeout\(|setInterval\(|process\.hrtime|timers\/promises|AbortSignal\.timeout|CURRENT_TIMESTAMP)/;
  source.lines.forEach((line, index) => {
    if (forbidden.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line)) {
      problems.push(`${source.path}:${index + 1}: time comes from base/clock only: ${line.trim()}`);
    }
  });
}

function checkSql(source: Source): void {
  if (source.path.endsWith('.sql.ts') || source.path.startsWith('src/data/db/')) return;
  if (/\bstatement</.test(source.text)) problems.push(`${source.path}: SQL stands in *.sql.ts files only`);
}

/** Tables (files of rows) are exempt from the length of a file, not from that of a function. */
function checkSize(source: Source): void {
  const exempt =
    /\/(table|migrations\/.*|.*\.sql|.*\.contract|.*-table|.*-tables)\.ts$/.test(source.path) ||
    source.path.includes('/migrations/');
  if (!exempt && source.lines.length > MAX_LINES + 1)
    problems.push(`${source.path}: ${source.lines.length} lines (limit ${MAX_LINES})`);
  if (exempt) return;
  for (const { name, line, length } of functions(source.lines)) {
    if (length > MAX_FUNCTION_LINES)
      problems.push(`${source.path}:${line}: ${name} has ${length} lines (limit ${MAX_FUNCTION_LINES})`);
  }
}

/** Functions and methods of formatted code: from a line that opens one to the brace at the same indentation. */
function* functions(lines: readonly string[]): Generator<{ name: string; line: number; length: number }> {
  const start =
    /^(\s*)(?:export )?(?:default )?(?:(?:async )?function\*? (\w+)|(?:static |override |async |\*|get |set )*(#?\w+)\(.*\).*\{$|const (\w+) = (?:async )?\(.*=> \{$)/;
  for (let i = 0; i < lines.length; i++) {
    const match = start.exec(lines[i] ?? '');
    if (match === null || /^\s*(if|for|while|switch|catch|return|describe|test|it)\b/.test(lines[i] ?? ''))
      continue;
    const indent = match[1] ?? '';
    let end = i;
    while (end < lines.length && !(lines[end] ?? '').startsWith(`${indent}}`)) end++;
    yield { name: match[2] ?? match[3] ?? match[4] ?? '?', line: i + 1, length: end - i + 1 };
  }
}

/** Every RFC the code cites stands in docs/rfc-index.md with its state. */
function checkRfcIndex(): void {
  const known = new Set<string>();
  for (const row of readFileSync('docs/rfc-index.md', 'utf8').split('\n')) {
    const numbers = /^\| ([\d, ]+) \|/.exec(row)?.[1];
    for (const number of numbers?.split(', ') ?? []) known.add(number);
  }
  for (const source of sources) {
    for (const [, number = ''] of source.text.matchAll(/RFC ?(\d{3,5})/g)) {
      if (!known.has(number))
        problems.push(`${source.path}: cites RFC ${number}, which docs/rfc-index.md does not list`);
    }
  }
}
