import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, matchesGlob, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/app/config-load.ts';
import { jmapUrl } from '../../src/app/services.ts';
import { readYaml, type Yaml } from '../support/yaml.ts';

/** What can be seen of the image without building it. */

const ROOT = resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly Instruction[];
}

function instructions(text: string): Instruction[] {
  const whole = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ');
  return whole.split('\n').flatMap((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    assert.ok(line === '' || name !== '', `not an instruction: ${line}`);
    return name === '' ? [] : [{ name, rest }];
  });
}

function stages(all: readonly Instruction[]): Stage[] {
  const args = new Map<string, string>();
  const found: { name: string; image: string; steps: Instruction[] }[] = [];
  for (const step of all) {
    if (step.name === 'FROM') {
      const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(step.rest) ?? [];
      found.push({
        name,
        image: from.replace(/^\$\{(\w+)\}$/, (_, key: string) => args.get(key) ?? ''),
        steps: [],
      });
    } else if (found.length === 0) {
      assert.equal(step.name, 'ARG', 'only ARG stands before the first FROM');
      args.set(step.rest.split('=')[0] ?? '', step.rest.split('=')[1] ?? '');
    } else found.at(-1)?.steps.push(step);
  }
  return found;
}

const dockerfile = stages(instructions(read('deploy/docker/Dockerfile')));
const last = dockerfile.at(-1);
const of = (name: string): string[] =>
  last?.steps.filter((step) => step.name === name).map(({ rest }) => rest) ?? [];

/** What .dockerignore lets through; the last pattern that fits decides. */
function isSent(path: string): boolean {
  let sent = true;
  for (const line of read('.dockerignore').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const pattern = line.replace(/^!/, '');
    // To Docker a star is any name, also one with a dot in front.
    if (pattern === '*' || matchesGlob(path, pattern) || matchesGlob(path, `${pattern}/**`))
      sent = line.startsWith('!');
  }
  return sent;
}

function at(value: Yaml | undefined, ...path: string[]): Yaml | undefined {
  for (const name of path) {
    value = typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined;
  }
  return value;
}

describe('the Dockerfile', () => {
  it('builds in stages upon one image with a version that the program runs on', () => {
    assert.deepEqual(
      dockerfile.map(({ name }) => name),
      ['packages', 'build', 'postern'],
    );
    for (const { image } of dockerfile) {
      const [, major, minor] = /^node:(\d+)\.(\d+)\.\d+-\w+-slim$/.exec(image) ?? [];
      assert.ok(Number(major) === 24 && Number(minor) >= 11, image);
    }
  });

  it('fetches nothing from addresses, and copies only what exists and is sent to the builder', () => {
    for (const { steps } of dockerfile) {
      for (const { name, rest } of steps) {
        assert.notEqual(name, 'ADD');
        assert.doesNotMatch(rest, /https?:\/\/(?!127\.0\.0\.1)|\b(?:curl|wget|sudo)\b/);
        if (name !== 'COPY' || rest.startsWith('--from=')) continue;
        for (const source of rest.split(' ').slice(0, -1)) {
          assert.ok(existsSync(join(ROOT, source)), `${source} does not exist`);
          assert.ok(isSent(source), `.dockerignore keeps ${source} from the builder`);
        }
      }
    }
  });

  it('sends no secrets, data, tests or packages to the builder', () => {
    for (const path of [
      'deploy/docker/.env',
      'deploy/docker/secrets/backup_passphrase',
      '.git/config',
      '.postern/mail.db',
    ])
      assert.ok(!isSent(path), path);
    for (const path of ['node_modules/hono/package.json', 'src/base/memory.test.ts', 'test/support/yaml.ts'])
      assert.ok(!isSent(path), path);
    const needed = globSync('src/**/*', { cwd: ROOT, withFileTypes: true }).filter((one) => one.isFile());
    for (const one of needed) {
      const path = join(one.parentPath, one.name).slice(ROOT.length + 1);
      assert.equal(isSent(path), !path.endsWith('.test.ts'), path);
    }
  });

  it('takes over from earlier stages what they make', () => {
    const copied = of('COPY').flatMap((rest) => /^--from=(\w+ \S+ \S+)$/.exec(rest)?.[1] ?? []);
    const made = [
      'packages /opt/postern/node_modules',
      'build /opt/postern/dist',
      'build /opt/postern/web/dist',
    ];
    assert.deepEqual(
      copied,
      made.map((one) => `${one} ${one.split(' ')[1]}`),
    );
    const runs = dockerfile.flatMap(({ steps }) =>
      steps.filter(({ name }) => name === 'RUN').map(({ rest }) => rest),
    );
    assert.ok(runs.some((rest) => rest.includes('npm ci --omit=dev')));
    // With sources beside it the program would run them, and Node strips no types in packages.
    assert.ok(!of('COPY').some((rest) => /^src\b/.test(rest)));
  });

  it('runs as an ordinary user by number, says when it is ill, and stops by SIGTERM', () => {
    assert.match(of('USER').at(-1) ?? '', /^[1-9]\d*:[1-9]\d*$/);
    const order = last?.steps.map(({ name }) => name) ?? [];
    assert.ok(order.lastIndexOf('RUN') < order.indexOf('USER'), 'nothing runs as root after USER');
    assert.match(of('HEALTHCHECK')[0] ?? '', /--interval=\d+s .*CMD \["node", .*\/health\/ready/);
    assert.deepEqual(of('STOPSIGNAL'), ['SIGTERM']);
    assert.match(of('ENTRYPOINT')[0] ?? '', /^\["node", "\/opt\/postern\/bin\/postern\.mjs"\]$/);
    assert.deepEqual(of('CMD'), ['["serve"]']);
  });
});

describe('the composition', () => {
  const compose = readYaml(read('deploy/docker/compose.yaml'));
  const service = at(compose, 'services', 'postern');
  const listed = (name: string): Yaml[] => {
    const value = at(service, name);
    assert.ok(Array.isArray(value), name);
    return value;
  };

  it('leads each port of the world to one that the program listens on and the image names', () => {
    const config = readConfig(
      read('deploy/docker/postern.toml'),
      'postern.toml',
      { POSTERN_HOSTNAME: 'mail.example.org' },
      '/etc/postern',
    );
    const ours = Object.entries(config.listen).flatMap(([name, specs]) => {
      return Array.isArray(specs)
        ? specs.flatMap((one) =>
            typeof one === 'object' && 'port' in one ? [[one.port, name] as const] : [],
          )
        : [];
    });
    const services = new Map(ours);
    const world = new Map(
      listed('ports').map((text) => {
        const [, outside, inside] = /:(\d+):(\d+)$/.exec(String(text)) ?? [];
        return [services.get(Number(inside)), Number(outside)] as const;
      }),
    );
    assert.deepEqual(Object.fromEntries(world), {
      smtp: 25,
      submission: 587,
      submissions: 465,
      imap: 143,
      imaps: 993,
      managesieve: 4190,
      https: 443,
      acme: 80,
    });
    const exposed = of('EXPOSE')[0]?.split(' ').map(Number) ?? [];
    assert.deepEqual(
      exposed,
      [...services.keys()].filter((port) => port !== 8025),
    );
    const free = Number(at(service, 'sysctls', 'net.ipv4.ip_unprivileged_port_start'));
    for (const port of exposed) assert.ok(port >= free, 'needs no rights');
    // Links and the address of JMAP name the port that the program listens on.
    assert.equal(jmapUrl(config), 'https://mail.example.org/.well-known/jmap');
  });

  it('gives no rights, a file system that stays as it is, and time to end', () => {
    assert.equal(at(service, 'read_only'), true);
    assert.deepEqual(listed('cap_drop'), ['ALL']);
    assert.deepEqual(listed('security_opt'), ['no-new-privileges:true']);
    assert.deepEqual(listed('tmpfs'), ['/tmp']);
    assert.ok(Number.parseInt(String(at(service, 'stop_grace_period')), 10) > 30);
    assert.ok(listed('volumes').includes('data:/var/lib/postern'));
    const environment = of('ENV').join(' ');
    assert.match(environment, /POSTERN_DATA=\/var\/lib\/postern\//);
  });

  it('takes secrets from files only, and settings that the example names', () => {
    for (const name of listed('secrets'))
      assert.match(String(at(compose, 'secrets', String(name), 'file')), /^\.\/secrets\//);
    assert.doesNotMatch(JSON.stringify(at(service, 'environment')), /passw|secret|key/i);
    const example = read('deploy/docker/.env.example');
    for (const [, name = ''] of read('deploy/docker/compose.yaml').matchAll(/\$\{(\w+)/g))
      assert.ok(example.includes(`${name}=`), name);
  });
});
