import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type SmtpPeer, type SmtpPeerOptions, startSmtpPeer } from '../../../test/support/smtp-peer.ts';
import { createSelfSigned } from '../../net/tls-self-signed.ts';
import { dkimResults, session, transact, until } from '../../../test/support/flow.ts';
import { createInbound } from '../inbound/service.ts';
import { MESSAGE, openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';

const SIGNED = ['pass rsa-sha256', 'pass ed25519-sha256'];
const CERTIFICATE = createSelfSigned({
  commonName: 'mx.far.test',
  names: ['mx.far.test'],
  notBefore: Date.UTC(2020, 0, 1),
  notAfter: Date.UTC(2049, 0, 1),
});

describe('direct delivery', () => {
  let out: OutboundFixture;
  let peer: SmtpPeer;
  let second: SmtpPeer | undefined;

  beforeEach(async () => {
    peer = await startSmtpPeer();
    out = await openOutbound({ port: peer.port });
    // A second host: the same port at another address.
    out.flow.zone['mx2.far.test'] = { A: ['127.0.0.2'] };
  });
  afterEach(async () => {
    await out.close();
    await peer.close();
    await second?.close();
    second = undefined;
  });

  const openSecond = async (options: SmtpPeerOptions = {}): Promise<SmtpPeer> => {
    second = await startSmtpPeer({ ...options, listen: { host: '127.0.0.2', port: peer.port } });
    return second;
  };
  const bothMx = (first: number, other: number): void => {
    out.flow.zone['far.test'] = {
      MX: [
        { preference: first, exchange: 'mx.far.test' },
        { preference: other, exchange: 'mx2.far.test' },
      ],
    };
  };
  const lastReply = async (id: string): Promise<string | undefined> =>
    (await out.entry(id)).recipients[0]?.lastReply;

  it('the message whole, with its signatures, and the envelope with its DSN parameters', async () => {
    const orcpt = { type: 'rfc822', address: 'old+x@far.test' };
    const id = await out.send([{ address: 'x@far.test', notify: ['FAILURE', 'DELAY'], orcpt }], MESSAGE, {
      ret: 'HDRS',
      envid: 'id 1',
    });
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered']);
    const [taken] = peer.transactions;
    assert.ok(taken);
    assert.equal(taken.from, 'alice@example.test');
    assert.match(taken.params, /RET=HDRS ENVID=id\+201$/);
    assert.deepEqual(taken.rcptParams, ['NOTIFY=FAILURE,DELAY ORCPT=rfc822;old+2Bx@far.test']);
    assert.ok(taken.data.toString().endsWith('Hello\r\n.dot\r\n'));
    assert.deepEqual(await dkimResults(out.flow, taken.data), SIGNED);
    const { message } = await out.entry(id);
    assert.equal(taken.data.length, message.size);
    assert.match(taken.params, new RegExp(`^SIZE=${message.size} `));
  });

  it('a large one, from its file, signed', async () => {
    const big = Buffer.concat([Buffer.from(MESSAGE), Buffer.alloc(900_000, 'a line of text\r\n')]);
    const id = await out.send(['x@far.test'], big);
    await until(() => peer.transactions.length === 1);
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered']);
    assert.deepEqual(await dkimResults(out.flow, peer.transactions[0]?.data ?? Buffer.alloc(0)), SIGNED);
  });

  it('many recipients of a domain in one transaction; one connection serves several messages', async () => {
    await out.send(['a@far.test', 'b@far.test', 'c@far.test']);
    await out.idle();
    for (let i = 0; i < 5; i++) {
      await out.send(['x@far.test']);
      await out.idle();
    }
    assert.deepEqual(peer.transactions[0]?.to, ['a@far.test', 'b@far.test', 'c@far.test']);
    assert.equal(peer.transactions.length, 6);
    assert.equal(peer.connections(), 1);
    await out.pass(10_000);
    await out.send(['x@far.test']);
    await out.idle();
    assert.equal(peer.connections(), 2, 'an idle one is not kept for long');
  });

  it('a kept connection that the other side closed is no failure', async () => {
    await out.send(['x@far.test']);
    await out.idle();
    peer.options.script = { MAIL: [{ do: 'close' }] };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered']);
    assert.equal(peer.connections(), 2);
  });

  it('452 too many recipients: the rest in another transaction at once; a full mailbox waits', async () => {
    let taken = 0;
    peer.options.script = {
      DATA: () => {
        taken = 0;
        return undefined;
      },
      RCPT: () => (++taken > 2 ? '452 4.5.3 too many' : undefined),
    };
    const id = await out.send(['a@far.test', 'b@far.test', 'c@far.test', 'd@far.test', 'e@far.test']);
    await out.idle();
    assert.deepEqual(new Set(await out.states(id)), new Set(['delivered']));
    assert.deepEqual(
      peer.transactions.map(({ to }) => to.length),
      [2, 2, 1],
    );
    assert.equal(peer.connections(), 1);
  });

  it('a host that takes one transaction for a connection gets another connection', async () => {
    await peer.close();
    peer = await startSmtpPeer({
      listen: { host: '127.0.0.1', port: peer.port },
      capabilities: ['PIPELINING', 'LIMITS RCPTMAX=1 MAILMAX=1', 'DSN'],
    });
    const id = await out.send(['a@far.test', 'b@far.test', 'c@far.test']);
    await out.idle();
    assert.deepEqual(new Set(await out.states(id)), new Set(['delivered']));
    assert.equal(peer.connections(), 3);
  });

  it('a message that cannot be read on for a later transaction stays delivered to those before', async () => {
    peer.options.capabilities = ['PIPELINING', 'LIMITS RCPTMAX=1', 'DSN'];
    const { store } = out.flow;
    let reads = 0;
    const blobs = {
      ...store.blobs,
      read: (id: number, start?: number, end?: number) => {
        if (++reads > 1) throw new Error('unreadable');
        return store.blobs.read(id, start, end);
      },
    };
    out.flow.deps = { ...out.flow.deps, store: { ...store, blobs } };
    const id = await out.send(['a@far.test', 'b@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered', 'queued']);
    assert.match((await out.entry(id)).recipients[1]?.lastReply ?? '', /^451 4\.3\.0 .*unreadable/);
  });

  it('one recipient refused costs the others nothing', async () => {
    peer.options.script = { RCPT: (arg) => (arg.includes('bad@') ? '550 5.1.1 who?' : undefined) };
    const id = await out.send(['a@far.test', 'bad@far.test', 'c@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered', 'failed', 'delivered']);
  });

  describe('the journal says whose words a reply is', () => {
    /** The last attempt's event: whether the remote answered, its host, the reply. */
    const attempt = async (to = 'x@far.test') => {
      const trace = await out.send([to]);
      await out.idle();
      const rows = await out.flow.store.read.run('journal.byTrace', { trace });
      // The bounce has events of its own in the trace.
      const { data } =
        rows.find((row) => String(row.data['to']) === to && 'attempt' in row.data) ?? assert.fail();
      return [data['answered'], data['host'], String(data['reply'])] as const;
    };

    it('the remote’s: a 2xx, 4xx, 5xx, a greeting, even one that sounds like ours', async () => {
      const said = [
        ['GREETING', '554 5.3.2 no'],
        ['RCPT', '451 4.4.1 cannot connect'],
        ['RCPT', '550 5.1.1 who?'],
        ['RCPT', undefined],
      ] as const;
      for (const [stage, text] of said) {
        peer.options.script = text === undefined ? {} : { [stage]: () => text };
        const [answered, host, reply] = await attempt();
        assert.deepEqual([answered, host], [true, 'mx.far.test [127.0.0.1]'], reply);
        if (text !== undefined) assert.equal(reply, text);
      }
    });

    it('ours: nobody there, a connection that broke, a reply that got lost, no such domain', async () => {
      peer.options.script = { MAIL: { do: 'reset' } };
      assert.deepEqual((await attempt()).slice(0, 2), [false, 'mx.far.test [127.0.0.1]']);
      peer.options.script = { BODY: { do: 'reset' } };
      const [answered, , reply] = await attempt();
      assert.deepEqual([answered, reply.includes('may have arrived')], [false, true]);
      out.flow.zone['mx.far.test'] = { A: ['127.0.0.3'] };
      await out.pass(3_600_000);
      assert.equal((await attempt())[0], false);
      assert.deepEqual((await attempt('x@nowhere.test')).slice(0, 2), [false, null]);
    });
  });

  describe('where to', () => {
    it('the best MX first', async () => {
      await openSecond();
      bothMx(20, 10);
      await out.send(['x@far.test']);
      await out.idle();
      assert.equal(second?.transactions.length, 1);
    });

    it('those of one preference in turns of chance', async () => {
      await openSecond({ script: { QUIT: '221 bye' } });
      bothMx(10, 10);
      for (let i = 0; i < 24; i++) await out.send(['x@far.test']);
      await out.idle();
      const counts = [peer.transactions.length, second?.transactions.length ?? 0];
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        24,
      );
      assert.ok(
        counts.every((count) => count > 0),
        `all went one way: ${counts.join(' ')}`,
      );
    });

    it('the next one after a 4xx or 5xx greeting, a lost connection, no connection', async () => {
      await openSecond();
      bothMx(10, 20);
      for (const greeting of ['421 4.3.2 busy', '554 5.3.2 no', { do: 'reset' } as const]) {
        peer.options.script = { GREETING: greeting };
        const id = await out.send(['x@far.test']);
        await out.idle();
        assert.deepEqual(await out.states(id), ['delivered']);
      }
      peer.options.script = { MAIL: { do: 'close' } };
      await out.send(['x@far.test']);
      await out.idle();
      assert.equal(second?.transactions.length, 4);
      out.flow.zone['mx.far.test'] = { A: ['127.0.0.3'] };
      await out.pass(3_600_000);
      await out.send(['x@far.test']);
      await out.idle();
      assert.equal(second?.transactions.length, 5);
    });

    it('not the next one after an answer about the recipient', async () => {
      await openSecond();
      bothMx(10, 20);
      peer.options.script = { RCPT: '451 4.7.1 later' };
      const id = await out.send(['x@far.test']);
      await out.idle();
      assert.deepEqual(await out.states(id), ['queued']);
      assert.equal(second?.connections(), 0);
    });

    it('IPv6 first, IPv4 when nobody is there', async () => {
      out.flow.zone['mx.far.test'] = { AAAA: ['::1'], A: ['127.0.0.1'] };
      const id = await out.send(['x@far.test']);
      await out.idle();
      assert.deepEqual(await out.states(id), ['delivered']);
    });

    it('the domain itself when it has no MX', async () => {
      out.flow.zone['plain.test'] = { A: ['127.0.0.1'] };
      await out.send(['x@plain.test']);
      await out.idle();
      assert.equal(peer.transactions.length, 1);
    });

    it('nowhere: null MX, no such domain, no address, our own name', async () => {
      const { zone } = out.flow;
      zone['null.test'] = { MX: [{ preference: 0, exchange: '' }] };
      zone['empty.test'] = {};
      zone['loop.test'] = {
        MX: [
          { preference: 10, exchange: 'mx.example.test' },
          { preference: 20, exchange: 'mx.far.test' },
        ],
      };
      for (const [domain, status] of [
        ['null.test', '5.1.10'],
        ['gone.test', '5.1.2'],
        ['empty.test', '5.4.4'],
        ['loop.test', '5.4.6'],
      ]) {
        const id = await out.send([`x@${domain}`]);
        await out.idle();
        assert.deepEqual(await out.states(id), ['failed'], domain);
        assert.match((await lastReply(id)) ?? '', new RegExp(`^550 ${status} `), domain);
      }
      assert.equal(peer.connections(), 0);
    });

    it('later: DNS that does not answer', async () => {
      out.flow.zone['sick.test'] = { fault: { kind: 'servfail' } };
      const id = await out.send(['x@sick.test']);
      await out.idle();
      assert.deepEqual(await out.states(id), ['queued']);
      assert.match((await lastReply(id)) ?? '', /^451 4\.4\.3 DNS/);
    });
  });

  describe('TLS', () => {
    it('is used where offered, without asking for a valid certificate', async () => {
      await openSecond({ tls: CERTIFICATE });
      bothMx(20, 10);
      const id = await out.send(['x@far.test']);
      await out.idle();
      assert.equal(second?.transactions[0]?.tls, true);
      const rows = await out.flow.store.read.run('journal.byTrace', { trace: id });
      assert.ok(rows.some(({ data }) => data['tls'] === 'TLSv1.3 unverified'));
    });

    it('broken, mail goes in clear; with REQUIRETLS it does not', async () => {
      peer.options.capabilities = ['PIPELINING', 'STARTTLS', 'REQUIRETLS'];
      peer.options.script = { STARTTLS: '454 4.7.0 broken' };
      const id = await out.send(['x@far.test']);
      await out.idle();
      assert.deepEqual(await out.states(id), ['delivered']);
      assert.equal(peer.transactions[0]?.tls, false);
      const strict = await out.send(['x@far.test'], MESSAGE, { requireTls: true });
      await out.idle();
      assert.notDeepEqual(await out.states(strict), ['delivered']);
      assert.equal(peer.transactions.length, 1);
    });
  });

  describe('poorer hosts', () => {
    const umlauts = Buffer.from(MESSAGE.replace('Hello', 'Grüße'));

    it('what we originate is re-encoded and signed anew', async () => {
      peer.options.capabilities = ['PIPELINING'];
      const id = await out.send(['x@far.test'], umlauts, { body: '8BITMIME' });
      await out.idle();
      assert.deepEqual(await out.states(id), ['delivered']);
      const data = peer.transactions[0]?.data ?? Buffer.alloc(0);
      assert.match(
        data.toString('latin1'),
        /Content-Transfer-Encoding: quoted-printable[\s\S]*Gr=C3=BC=C3=9Fe/,
      );
      assert.deepEqual(await dkimResults(out.flow, data), SIGNED);
    });

    it('what others wrote bounces with 5.6.3', async () => {
      peer.options.capabilities = ['PIPELINING'];
      await out.flow.addAlias('away@example.test', 'x@far.test');
      const inbound = createInbound(() => out.flow.deps, 'smtp');
      await transact(inbound, session(), 'c@sender.test', ['away@example.test'], umlauts, {
        body: '8BITMIME',
      });
      await out.idle();
      const [entry] = await out.flow.store.read.run('queue.list', { state: 'failed', limit: 1 });
      assert.match(entry?.recipients[0]?.lastReply ?? '', /^554 5\.6\.3 /);
      assert.equal(peer.transactions.length, 0);
    });

    it('an address beyond ASCII without SMTPUTF8 fails with 5.6.7', async () => {
      peer.options.capabilities = ['PIPELINING', '8BITMIME'];
      const id = await out.send(['jürgen@far.test'], MESSAGE, { smtputf8: true });
      await out.idle();
      assert.match((await lastReply(id)) ?? '', /^553 5\.6\.7 /);
    });
  });
});
