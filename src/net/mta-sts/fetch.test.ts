import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Authority, createAuthority, type Issued } from '../../../test/support/authority.ts';
import { type DnsTable, tableDns } from '../../../test/support/dns-table.ts';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { skipWithout } from '../../../test/support/programs.ts';
import type { Dns } from '../../mail/dns.ts';
import { fetchStsPolicy, type StsFetched, type StsFetchOptions } from './fetch.ts';

const POLICY = 'version: STSv1\r\nmode: enforce\r\nmx: mx.far.test\r\nmax_age: 86400\r\n';

describe('fetching a policy', { skip: skipWithout('openssl') }, () => {
  let ca: Authority;
  let server: Server;
  let port = 0;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: string[];
  const table: DnsTable = {
    'mta-sts.far.test': { A: ['127.0.0.1'] },
    'mta-sts.wrong.test': { A: ['127.0.0.1'] },
  };

  const serve = async (issued: Issued): Promise<void> => {
    server = createServer({ cert: issued.cert, key: issued.key }, (request, response) => {
      requests.push(`${request.method} ${request.headers.host}${request.url}`);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const bound = server.address();
    port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  };
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  before(async () => {
    ca = createAuthority();
    await serve(ca.issue(['mta-sts.far.test']));
  });
  after(stop);
  beforeEach(() => {
    requests = [];
    answer = text(POLICY);
  });

  const text = (body: string | Buffer, headers: Record<string, string> = {}, status = 200) => {
    return (_request: IncomingMessage, response: ServerResponse): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body);
    };
  };
  const clock = manualClock();
  const fetch = (domain = 'far.test', more: Partial<StsFetchOptions> = {}): Promise<StsFetched> =>
    fetchStsPolicy(domain, {
      dns: tableDns(table, false),
      clock,
      port,
      ca: ca.cert,
      allowPrivate: true,
      ...more,
    });
  const told = (fetched: StsFetched): string =>
    fetched.status === 'ok' ? fetched.policy.mode : `${fetched.type}: ${fetched.reason}`;

  it('the well-known file, as it is', async () => {
    const fetched = await fetch();
    assert.ok(fetched.status === 'ok');
    assert.equal(fetched.file.toString(), POLICY);
    assert.deepEqual(fetched.policy.mx, ['mx.far.test']);
    assert.deepEqual(requests, ['GET mta-sts.far.test/.well-known/mta-sts.txt']);
  });

  it('SSRF: an address that is not public is never connected to', async () => {
    const addresses: DnsTable[string][] = [
      { A: ['127.0.0.1'] },
      { AAAA: ['::1'] },
      { AAAA: ['::ffff:127.0.0.1', '::ffff:7f00:1'] },
      { A: ['169.254.169.254', '10.0.0.1'] },
      { alias: 'localhost.test' },
    ];
    for (const entry of addresses) {
      const local = { 'mta-sts.far.test': entry, 'localhost.test': { A: ['127.0.0.1'] } };
      const fetched = await fetch('far.test', { dns: tableDns(local, false), allowPrivate: false });
      assert.match(told(fetched), /^sts-policy-fetch-error: .*no public address/);
    }
    assert.deepEqual(requests, []);
  });

  it('DNS rebinding: the connection goes to the address that was looked at, the name is asked for once', async () => {
    let asked = 0;
    const rebinding: Dns = {
      query: (name, type, signal) => {
        if (type === 'A') asked++;
        return tableDns({ 'mta-sts.far.test': { A: [asked > 1 ? '127.0.0.9' : '127.0.0.1'] } }, false).query(
          name,
          type,
          signal,
        );
      },
    };
    assert.equal(told(await fetch('far.test', { dns: rebinding })), 'enforce');
    assert.equal(asked, 1);
  });

  it('redirects are not followed', async () => {
    answer = text('', { location: 'https://mta-sts.far.test/other' }, 302);
    assert.match(told(await fetch()), /^sts-policy-fetch-error: .*redirects \(302\)/);
    assert.equal(requests.length, 1);
  });

  it('nothing but 200 and text/plain, not encoded', async () => {
    for (const [reply, why] of [
      [text('', {}, 404), /status 404/],
      [text(POLICY, {}, 203), /status 203/],
      [text(POLICY, { 'content-type': 'text/html' }), /text\/html/],
      [text(POLICY, { 'content-type': '' }), /not text\/plain/],
      [text(POLICY, { 'content-encoding': 'gzip' }), /encoded/],
    ] as const) {
      answer = reply;
      assert.match(told(await fetch()), why);
    }
    answer = text('version: STSv1\n');
    assert.match(told(await fetch()), /^sts-policy-invalid: /);
  });

  it('64 KiB and no more, however it is sent', async () => {
    answer = text(Buffer.alloc(100_000, 'x'));
    assert.match(told(await fetch()), /longer than 64 KiB/);
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.on('error', () => undefined);
      const more = (): void => {
        if (!response.destroyed && response.write(Buffer.alloc(16_384, 'x'))) setImmediate(more);
      };
      response.on('drain', more);
      more();
    };
    assert.match(told(await fetch()), /longer than 64 KiB/);
  });

  it('a minute and no more', async () => {
    let reached: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (reached = resolve));
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('version');
      reached();
    };
    const fetching = fetch();
    await waiting;
    clock.advance(60_000);
    assert.match(told(await fetching), /within 60 s/);
  });

  it('a certificate of another name, of nobody we know: told apart from what else goes wrong', async () => {
    table['mta-sts.wrong.test'] = { A: ['127.0.0.1'] };
    assert.match(told(await fetch('wrong.test')), /^sts-webpki-invalid: .*ALTNAME/);
    const { ca: _ca, ...system } = { ca: ca.cert };
    assert.match(
      told(
        await fetchStsPolicy('far.test', {
          dns: tableDns(table, false),
          clock,
          port,
          allowPrivate: true,
          ...system,
        }),
      ),
      /^sts-webpki-invalid: /,
    );
    assert.deepEqual(requests, []);
    assert.match(told(await fetch('far.test', { port: 1 })), /^sts-policy-fetch-error: .*ECONNREFUSED/);
    assert.match(told(await fetch('nowhere.test')), /^sts-policy-fetch-error: .*no address/);
  });

  it('the next address when one does not answer', async () => {
    table['mta-sts.far.test'] = { A: ['127.0.0.2', '127.0.0.1'] };
    assert.equal(told(await fetch()), 'enforce');
    table['mta-sts.far.test'] = { A: ['127.0.0.1'] };
  });

  it('an abort', async () => {
    answer = () => undefined;
    const controller = new AbortController();
    const fetching = fetch('far.test', { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    assert.match(told(await fetching), /aborted/);
  });
});
