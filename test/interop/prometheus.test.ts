import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dashboards } from '../../scripts/dashboards.ts';
import { registeredMetrics } from '../support/metrics.ts';
import { startTestServer } from '../support/server.ts';

/** What we hand to Prometheus and Grafana, looked at by a real Prometheus that watches a server. */

const FOLDER = fileURLToPath(new URL('../../deploy/monitoring/prometheus/', import.meta.url));
/** Made by the program around the server, so that a server in a test has none. */
const OF_THE_PROGRAM = ['postern_bugs_total'];

const there = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const skip =
  !(there('prometheus') && there('promtool')) && 'prometheus (Debian: prometheus) is not installed';

/** Names of ours in PromQL, without what histograms add. */
function namesIn(expr: string): string[] {
  const found = expr.match(/\b(?:postern|dns_sanity|nodejs|process)_[a-z0-9_]+/g) ?? [];
  return found.map((name) => name.replace(/_seconds_(?:bucket|sum|count)$/, '_seconds'));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function ask(port: number, expr: string): Promise<Answer> {
  const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`;
  return (await (await fetch(url)).json()) as Answer;
}

async function startPrometheus(
  directory: string,
  target: number,
): Promise<{ port: number; child: ChildProcess }> {
  const rules = await readFile(join(FOLDER, 'postern.rules.yml'), 'utf8');
  const config = await readFile(join(FOLDER, 'prometheus.yml'), 'utf8');
  await writeFile(join(directory, 'postern.rules.yml'), rules);
  await writeFile(
    join(directory, 'prometheus.yml'),
    config.replace('127.0.0.1:8025', `127.0.0.1:${target}`).replaceAll('30s', '1s'),
  );
  const port = await freePort();
  const options = [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return { port, child: spawn('prometheus', options, { stdio: 'ignore' }) };
}

describe('Prometheus', { skip }, () => {
  it('takes our rules and its configuration', () => {
    for (const [what, file] of [
      ['rules', 'postern.rules.yml'],
      ['config', 'prometheus.yml'],
    ] as const) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', what, join(FOLDER, file)], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, `${stdout}${stderr}`);
    }
  });

  it('dashboards and rules name metrics that there are', async () => {
    const known = new Set([...(await registeredMetrics()).map(({ name }) => name), ...OF_THE_PROGRAM]);
    const rules = await readFile(join(FOLDER, 'postern.rules.yml'), 'utf8');
    for (const name of namesIn(rules)) assert.ok(known.has(name), `${name}, in the rules`);
    for (const { title, rows } of dashboards)
      for (const panel of rows.flatMap(({ panels }) => panels))
        for (const [expr] of panel.queries) {
          assert.ok(namesIn(expr).length > 0, `${title}, ${panel.title}: no metric of ours`);
          for (const name of namesIn(expr))
            assert.ok(known.has(name), `${name}, in ${title}, ${panel.title}`);
        }
  });

  it('reads a server, and understands every query of every dashboard', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-prometheus-'));
    await using server = await startTestServer({ processMetrics: true });
    const { port, child } = await startPrometheus(directory, server.ports.http ?? 0);
    try {
      const up = async (): Promise<boolean> =>
        (
          await ask(port, 'up{job="postern"} == 1 and on (instance) postern_disk_low == 0').catch(
            () => undefined,
          )
        )?.data?.result.length === 1;
      for (let tries = 0; tries < 100 && !(await up()); tries++) await sleep(150);
      assert.ok(await up(), 'it reads nothing');
      // As OpenMetrics, which it asks for first; names keep their endings.
      const accounts = await ask(port, 'postern_accounts');
      assert.equal(accounts.data?.result[0]?.value[1], '2');
      for (const { title, rows } of dashboards)
        for (const panel of rows.flatMap(({ panels }) => panels))
          for (const [expr] of panel.queries) {
            const { status, error } = await ask(port, expr.replaceAll('$__rate_interval', '5m'));
            assert.equal(status, 'success', `${title}, ${panel.title}: ${error}`);
          }
      const rules = (await (await fetch(`http://127.0.0.1:${port}/api/v1/rules`)).json()) as {
        data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
      };
      for (const rule of rules.data.groups.flatMap((group) => group.rules))
        assert.notEqual(rule.health, 'err', `${rule.name}: ${rule.lastError}`);
    } finally {
      child.kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('what is served', () => {
  it('is the text format, or OpenMetrics for whoever asks for it', async () => {
    await using server = await startTestServer({});
    const url = `http://127.0.0.1:${server.ports.http ?? 0}/metrics`;
    const plain = await fetch(url);
    assert.match(plain.headers.get('content-type') ?? '', /^text\/plain/);
    assert.doesNotMatch(await plain.text(), /# EOF/);
    const open = await fetch(url, { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
    assert.match(open.headers.get('content-type') ?? '', /^application\/openmetrics-text/);
    const text = await open.text();
    assert.ok(text.endsWith('# EOF\n'));
    assert.match(text, /^# TYPE postern_smtp_sessions gauge$/m);
    assert.match(await (await fetch(url)).text(), /^postern_disk_low 0$/m);
  });
});
