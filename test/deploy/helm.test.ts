import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/app/config-load.ts';
import type { Config } from '../../src/app/config.ts';
import { renderChart, type Value } from '../support/helm.ts';
import { readDocuments, type Yaml } from '../support/yaml.ts';

/** The manifests that the chart makes: that they fit together, and that Kubernetes would take them. */

const CHART = resolve(import.meta.dirname, '../../deploy/helm/postern');
const LEAST = { hostname: 'mail.example.org', domain: 'example.org', adminPasswordSecret: 'first-password' };
const OWN_FILES = { ...LEAST, tlsSecret: 'mail-tls' };

type Map_ = { readonly [name: string]: Yaml };

function asMap(value: Yaml | undefined): Map_ {
  assert.ok(
    typeof value === 'object' && value !== null && !Array.isArray(value),
    `no map: ${JSON.stringify(value)}`,
  );
  return value;
}

function asList(value: Yaml | undefined): Map_[] {
  assert.ok(Array.isArray(value), `no list: ${JSON.stringify(value)}`);
  return value.map(asMap);
}

function at(value: Yaml | undefined, ...path: string[]): Yaml | undefined {
  for (const name of path) value = asMap(value)[name];
  return value;
}

interface Manifests {
  readonly all: readonly Map_[];
  one(kind: string, name: string): Map_;
}

function manifests(values: Readonly<Record<string, Value>>): Manifests {
  const files = [...renderChart(CHART, values)].filter(([name]) => name.endsWith('.yaml'));
  const all = files.flatMap(([, text]) => readDocuments(text)).map(asMap);
  return {
    all,
    one(kind, name) {
      const found = all.filter((one) => one.kind === kind && at(one, 'metadata', 'name') === name);
      assert.equal(found.length, 1, `${kind} ${name}`);
      return asMap(found[0]);
    },
  };
}

const podOf = (made: Manifests): Map_ =>
  asMap(at(made.one('StatefulSet', 'postern'), 'spec', 'template', 'spec'));
const serverOf = (made: Manifests): Map_ => asMap(asList(podOf(made).containers)[0]);

function configOf(made: Manifests): Config {
  const text = String(at(made.one('ConfigMap', 'postern'), 'data', 'postern.toml'));
  const variables = asList(serverOf(made).env).filter(({ value }) => value !== undefined);
  const environment = Object.fromEntries(
    variables.map(({ name, value }) => [String(name), String(value).replace('$(POD_IP)', '10.1.2.3')]),
  );
  return readConfig(text, 'postern.toml', environment, '/etc/postern');
}

const ports = (specs: readonly object[]): number[] =>
  specs.flatMap((one) => ('port' in one ? [Number(one.port)] : []));

/** What every manifest of a kind needs, as its schema says. */
const SHAPES: Readonly<Record<string, { readonly api: string; readonly spec: readonly string[] }>> = {
  StatefulSet: { api: 'apps/v1', spec: ['serviceName', 'replicas', 'selector', 'template'] },
  Service: {
    api: 'v1',
    spec: ['type', 'externalTrafficPolicy', 'loadBalancerIP', 'clusterIP', 'selector', 'ports'],
  },
  PersistentVolumeClaim: { api: 'v1', spec: ['accessModes', 'storageClassName', 'resources'] },
  NetworkPolicy: { api: 'networking.k8s.io/v1', spec: ['podSelector', 'policyTypes', 'ingress'] },
  ConfigMap: { api: 'v1', spec: [] },
};

describe('the chart', () => {
  it('makes manifests of known shapes, each name once', () => {
    const { all } = manifests(OWN_FILES);
    for (const one of all) {
      const shape = SHAPES[String(one.kind)];
      assert.ok(shape, String(one.kind));
      assert.equal(one.apiVersion, shape.api);
      const known = new Set(['apiVersion', 'kind', 'metadata', shape.spec.length > 0 ? 'spec' : 'data']);
      assert.deepEqual(
        Object.keys(one).filter((name) => !known.has(name)),
        [],
      );
      assert.match(String(at(one, 'metadata', 'name')), /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      if (one.spec !== undefined)
        assert.deepEqual(
          Object.keys(asMap(one.spec)).filter((name) => !shape.spec.includes(name)),
          [],
        );
      for (const text of Object.values(asMap(at(one, 'metadata', 'labels'))))
        assert.equal(typeof text, 'string');
    }
    const names = all.map((one) => `${String(one.kind)} ${String(at(one, 'metadata', 'name'))}`);
    assert.equal(new Set(names).size, names.length);
    assert.equal(names.length, 7);
  });

  it('leads each port of the world to the listener of that service, certificate by itself or of a Secret', () => {
    for (const [values, acme] of [
      [LEAST, true],
      [OWN_FILES, false],
    ] as const) {
      const made = manifests(values);
      const { listen, tls } = configOf(made);
      const inside = new Map(
        asList(serverOf(made).ports).map(({ name, containerPort }) => [name, containerPort]),
      );
      const world = asList(at(made.one('Service', 'postern'), 'spec', 'ports'));
      const led = Object.fromEntries(
        world.map(({ port, targetPort }) => [String(port), inside.get(targetPort ?? '')]),
      );
      const want = {
        25: listen.smtp,
        587: listen.submission,
        465: listen.submissions,
        143: listen.imap,
        993: listen.imaps,
        4190: listen.managesieve,
        443: listen.https,
      };
      const all = acme ? { ...want, 80: listen.acme } : want;
      assert.deepEqual(
        led,
        Object.fromEntries(Object.entries(all).map(([port, specs]) => [port, ports(specs)[0]])),
      );
      assert.equal(listen.acme.length, acme ? 1 : 0);
      assert.equal(tls.cert !== '', !acme);
      const open = asList(asList(at(made.one('NetworkPolicy', 'postern-mail'), 'spec', 'ingress'))[0]?.ports);
      assert.deepEqual(
        open.map(({ port }) => port),
        world.map(({ targetPort }) => targetPort),
      );
    }
  });

  it('probes where the program answers strangers, and lets only watchers there', () => {
    const made = manifests(LEAST);
    const server = serverOf(made);
    for (const [probe, path] of [
      ['startupProbe', '/health/live'],
      ['livenessProbe', '/health/live'],
      ['readinessProbe', '/health/ready'],
    ] as const) {
      assert.deepEqual(at(server, probe, 'httpGet'), { path, port: 'http' });
    }
    // A listener on "*" tells strangers nothing, and one on loopback is not reached by the kubelet.
    assert.deepEqual(configOf(made).listen.http, [
      { address: '127.0.0.1', port: 8025 },
      { address: '10.1.2.3', port: 8025 },
    ]);
    const outside = asList(at(made.one('Service', 'postern'), 'spec', 'ports'));
    assert.ok(!outside.some(({ targetPort }) => targetPort === 'http'), 'not told to the world');
    const [rule] = asList(at(made.one('NetworkPolicy', 'postern-http'), 'spec', 'ingress'));
    assert.deepEqual(rule?.from, [{ podSelector: {} }]);
    const from = [{ namespaceSelector: { matchLabels: { team: 'watch' } } }];
    const other = manifests({ ...LEAST, networkPolicy: { monitoringFrom: from } });
    assert.deepEqual(
      asList(at(other.one('NetworkPolicy', 'postern-http'), 'spec', 'ingress'))[0]?.from,
      from,
    );
    assert.ok(
      !manifests({ ...LEAST, networkPolicy: { enabled: false } }).all.some(
        ({ kind }) => kind === 'NetworkPolicy',
      ),
    );
  });

  it('makes the pod anew when the configuration changes, and only then', () => {
    const sum = (values: Readonly<Record<string, Value>>): Yaml | undefined =>
      at(
        manifests(values).one('StatefulSet', 'postern'),
        'spec',
        'template',
        'metadata',
        'annotations',
        'checksum/config',
      );
    const config = '[limits]\nmessage_size = "10MiB"';
    assert.equal(sum(LEAST), sum({ ...LEAST, resources: { limits: { memory: '2Gi' } } }));
    assert.notEqual(sum(LEAST), sum({ ...LEAST, config }));
    assert.notEqual(sum(LEAST), sum({ ...LEAST, proxyFrom: ['10.0.0.0/8'] }));
    assert.equal(configOf(manifests({ ...LEAST, config })).limits.message_size, 10 * 1024 * 1024);
    assert.deepEqual(configOf(manifests({ ...LEAST, proxyFrom: ['10.0.0.0/8'] })).listen.proxy_from, [
      '10.0.0.0/8',
    ]);
  });

  it('is one pod without rights whose selectors fit, with all it mounts', () => {
    const made = manifests({ ...OWN_FILES, secrets: ['backup', 'relay'] });
    const set = made.one('StatefulSet', 'postern');
    assert.equal(at(set, 'spec', 'replicas'), 1);
    const labels = asMap(at(set, 'spec', 'template', 'metadata', 'labels'));
    for (const one of made.all) {
      const selector = one.kind === 'Service' ? at(one, 'spec', 'selector') : undefined;
      const policy = one.kind === 'NetworkPolicy' ? at(one, 'spec', 'podSelector', 'matchLabels') : undefined;
      for (const [name, value] of Object.entries(asMap(selector ?? policy ?? {})))
        assert.equal(labels[name], value);
    }
    for (const [name, value] of Object.entries(asMap(at(set, 'spec', 'selector', 'matchLabels'))))
      assert.equal(labels[name], value);
    const pod = podOf(made);
    assert.equal(at(pod, 'securityContext', 'runAsNonRoot'), true);
    assert.ok(Number(pod.terminationGracePeriodSeconds) > 30);
    // Without rights, and yet the web pages have the port that links name.
    const [unprivileged] = asList(at(pod, 'securityContext', 'sysctls'));
    assert.equal(unprivileged?.name, 'net.ipv4.ip_unprivileged_port_start');
    for (const { containerPort } of asList(serverOf(made).ports))
      assert.ok(Number(containerPort) >= Number(unprivileged?.value), String(containerPort));
    const without = manifests({ ...LEAST, service: { https: false } });
    assert.deepEqual(configOf(without).listen.https, []);
    assert.equal(asMap(podOf(without).securityContext).sysctls, undefined);
    const volumes = new Set(asList(pod.volumes).map(({ name }) => name));
    for (const container of [...asList(pod.containers), ...asList(pod.initContainers)]) {
      assert.equal(at(container, 'securityContext', 'readOnlyRootFilesystem'), true);
      assert.deepEqual(at(container, 'securityContext', 'capabilities', 'drop'), ['ALL']);
      for (const { name } of asList(container.volumeMounts)) assert.ok(volumes.has(name ?? ''), String(name));
    }
    const { tls, data } = configOf(made);
    const paths = asList(asList(pod.containers)[0]?.volumeMounts).map(({ mountPath }) => String(mountPath));
    for (const path of [tls.cert, tls.key, data, '/run/secrets/backup/x', '/run/secrets/relay/x'])
      assert.ok(
        paths.some((mounted) => path.startsWith(`${mounted}/`)),
        path,
      );
  });

  it('sets up a server once, with a password from a Secret, and keeps the mail when it is removed', () => {
    const made = manifests(LEAST);
    const [init] = asList(podOf(made).initContainers);
    const script = String(Array.isArray(init?.command) ? init.command.at(-1) : '');
    assert.match(script, /^if \[ -e "\$POSTERN_DATA\/mail\.db" \]; then exit 0; fi\n/);
    assert.match(script, /--password-stdin <\/run\/first\/password$/m);
    const variables = new Map(asList(init?.env).map(({ name, value }) => [name, value]));
    for (const [, name = ''] of script.matchAll(/\$(\w+)/g)) assert.ok(variables.has(name), name);
    assert.equal(variables.get('POSTERN_FIRST_ADMIN'), 'admin@example.org');
    assert.equal(asList(podOf(manifests({ ...LEAST, init: false })).containers).length, 1);
    assert.equal(podOf(manifests({ ...LEAST, init: false })).initContainers, undefined);
    const keep = at(
      made.one('PersistentVolumeClaim', 'postern'),
      'metadata',
      'annotations',
      'helm.sh/resource-policy',
    );
    assert.equal(keep, 'keep');
    const other = manifests({ ...LEAST, persistence: { existingClaim: 'mine' } });
    assert.ok(!other.all.some(({ kind }) => kind === 'PersistentVolumeClaim'));
    assert.ok(asList(podOf(other).volumes).some((one) => JSON.stringify(one).includes('"claimName":"mine"')));
  });

  it('says what is missing', () => {
    assert.throws(() => renderChart(CHART, {}), /hostname is required/);
    assert.throws(() => renderChart(CHART, { hostname: 'mail.example.org' }), /domain is required/);
    assert.throws(
      () => renderChart(CHART, { ...LEAST, adminPasswordSecret: '' }),
      /adminPasswordSecret is required/,
    );
    assert.ok(renderChart(CHART, { hostname: 'mail.example.org', init: false }).has('statefulset.yaml'));
    assert.match(
      renderChart(CHART, LEAST).get('NOTES.txt') ?? '',
      /postern-0 -- postern domain records example\.org/,
    );
  });
});
