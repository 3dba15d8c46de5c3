import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  bodyFiles,
  code,
  type FlowFixture,
  journalOf,
  lines,
  mailbox,
  noParams,
  openFlow,
  refusal,
  session,
  traceOf,
  transact,
} from '../../../test/support/flow.ts';
import { signAll } from '../../mail/dkim/sign.ts';
import { hashed } from '../outbound/sign.ts';
import type { MailService } from '../service.ts';
import { createInbound } from './service.ts';

const MESSAGE = lines(
  'From: Carol <carol@sender.test>',
  'To: alice@example.test',
  'Subject: hello',
  'Date: Tue, 1 Jan 2030 00:00:00 +0000',
  'Message-ID: <one@sender.test>',
  '',
  'Hello Alice',
);

describe('inbound', () => {
  let flow: FlowFixture;
  let smtp: MailService;
  let lmtp: MailService;

  beforeEach(async () => {
    flow = await openFlow();
    smtp = createInbound(() => flow.deps, 'smtp');
    lmtp = createInbound(() => flow.deps, 'lmtp');
  });
  afterEach(() => flow.close());

  const send = (
    to: Parameters<typeof transact>[3],
    message: string | Buffer = MESSAGE,
    from = 'carol@sender.test',
  ) => transact(smtp, session(), from, to, message);
  const publishSpf = (): void => {
    flow.zone['sender.test'] = { TXT: ['v=spf1 ip4:192.0.2.1 -all'] };
    flow.clock.advance(120_000); // what was not there before is remembered for a minute
  };
  const queue = () => flow.store.read.run('queue.list', { limit: 100 });

  describe('log and counters', () => {
    it('get what a commit has stored, once it has', async () => {
      await flow.addAlias('both@example.test', 'alice@example.test', 'x@far.test');
      const { reply } = await send(['both@example.test', 'bob@example.test']);
      const [told, ...others] = flow.committed;
      assert.ok(told);
      assert.equal(others.length, 0);
      assert.deepEqual(
        told.events.map(({ kind }) => kind),
        ['message.accepted', 'message.queued', 'message.deposited', 'message.deposited'],
      );
      assert.deepEqual(
        told.events.map(({ kind }) => kind).toSorted(),
        (await journalOf(flow.store, traceOf(reply))).map((text) => text.split(' ')[0]).toSorted(),
      );
      assert.equal(told.reply, `250 2.0.0 Ok: queued as ${traceOf(reply)}`);
    });

    it('get nothing of a message that nobody took', async () => {
      await assert.rejects(send(['alice@example.test'], `${'Received: x\r\n'.repeat(101)}${MESSAGE}`));
      assert.deepEqual(flow.committed, []);
    });

    it('what the server itself refuses of a message is found by its sender and recipients', () => {
      smtp.refused(session(), {
        stage: 'data',
        reply: { code: 552, enhanced: '5.3.4', lines: ['Message too large'] },
        reason: 'message over 1000 octets',
        from: 'Carol@sender.test',
        to: ['alice@example.test', 'bob@example.test'],
      });
      const [event] = flow.events;
      assert.deepEqual(event?.terms, [
        'a:carol@sender.test',
        'a:alice@example.test',
        'a:bob@example.test',
        'i:192.0.2.1',
      ]);
      assert.equal(event?.data['from'], 'Carol@sender.test');
      assert.deepEqual(event?.data['to'], ['alice@example.test', 'bob@example.test']);
    });
  });

  describe('recipients', () => {
    const rcpt = async (address: string, from = 'carol@sender.test'): Promise<string> => {
      const transaction = await smtp.mail(session(), from, noParams);
      return refusal(transaction.rcpt(address, { notify: [], orcpt: undefined }));
    };

    it('refuses each for what is wrong with it, and notes it', async () => {
      await flow.addAccount('full@example.test', { quota: 1 });
      await flow.addAlias('pong@example.test', 'ping@example.test');
      await flow.store.write.run('directory.setCatchAll', {
        actor: flow.admin,
        domain: 'example.test',
        address: 'pong@example.test',
      });
      assert.equal(await rcpt('ping@example.test'), '550 5.4.6');
      await flow.store.write.run('directory.setCatchAll', {
        actor: flow.admin,
        domain: 'example.test',
        address: null,
      });
      assert.equal(await rcpt('nobody@example.test'), '550 5.1.1');
      assert.equal(await rcpt('someone@elsewhere.test'), '550 5.7.1');
      assert.equal(await rcpt('no at all'), '553 5.1.3');
      assert.equal(await rcpt('ÿ@example.test'), '553 5.6.7');
      const kinds = flow.events.filter(({ kind }) => kind === 'recipient.refused');
      assert.deepEqual(
        kinds.map(({ data }) => data['reply']?.toString().slice(0, 9)),
        ['550 5.4.6', '550 5.1.1', '550 5.7.1', '553 5.1.3', '553 5.6.7'],
      );
    });

    it('452 4.2.2 for a mailbox that is full already', async () => {
      await flow.addAccount('full@example.test', { quota: 1000 });
      assert.equal(await rcpt('full@example.test'), 'not refused');
      const big = await flow.store.write.run('directory.setQuota', {
        actor: flow.admin,
        address: 'full@example.test',
        quota: 1,
      });
      assert.equal(big, null);
      const transaction = await smtp.mail(session(), 'c@sender.test', {
        ...noParams,
        size: 2,
      });
      assert.equal(
        await refusal(transaction.rcpt('full@example.test', { notify: [], orcpt: undefined })),
        '452 4.2.2',
      );
    });

    it('takes subaddresses, any case, postmaster with and without a domain, also of the host name', async () => {
      for (const address of [
        'ALICE@Example.Test',
        'alice+detail@example.test',
        'postmaster@example.test',
        'abuse@example.test',
        'postmaster',
        'Postmaster@mx.example.test',
      ]) {
        assert.equal(await rcpt(address), 'not refused', address);
      }
      assert.equal(await rcpt('other@mx.example.test'), '550 5.7.1');
    });

    it('one that is refused costs the others nothing; one copy for an account however it is reached', async () => {
      await flow.addAlias('team@example.test', 'alice@example.test', 'bob@example.test');
      const { reply, refused } = await send([
        'nobody@example.test',
        'alice@example.test',
        'team@example.test',
      ]);
      assert.equal(code(reply), '250 2.0.0');
      assert.deepEqual([...refused.keys()], ['nobody@example.test']);
      assert.equal((await mailbox(flow.store, flow.alice)).length, 1);
      assert.equal((await mailbox(flow.store, flow.bob)).length, 1);
    });
  });

  describe('what is stored', () => {
    it('the octets as they came, with Return-Path, Delivered-To and Received before them', async () => {
      const { reply } = await send(['Alice+x@example.test']);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.ok(message);
      assert.equal(message.stored.toString(), MESSAGE);
      const trace = traceOf(reply);
      assert.equal(
        message.text.slice(0, -MESSAGE.length),
        lines(
          'Return-Path: <carol@sender.test>',
          'Delivered-To: Alice+x@example.test',
          'Authentication-Results: mx.example.test;',
          '\tdmarc=none reason="sender.test has no DMARC policy"',
          '\theader.from=sender.test;',
          '\tdkim=none;',
          '\tspf=none reason="sender.test has no SPF record"',
          '\tsmtp.mailfrom=carol@sender.test;',
          '\tiprev=permerror reason="192.0.2.1 has no name" policy.iprev=192.0.2.1',
          'Received: from client.sender.test ([192.0.2.1])',
          `\tby mx.example.test with ESMTP id ${trace}`,
          '\tfor <Alice+x@example.test>;',
          '\tTue, 1 Jan 2030 00:00:00 +0000',
        ).replace('\r\n\tby', '\r\n\tby'),
      );
    });

    it('the null reverse-path; no recipient in Received when there are several', async () => {
      await transact(smtp, session(), '', ['alice@example.test', 'bob@example.test'], MESSAGE);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.match(message?.text ?? '', /^Return-Path: <>\r\n/);
      assert.doesNotMatch(message?.text ?? '', /for <|bob/);
    });

    it('fields that claim to be ours are hidden, the octets stay', async () => {
      const claims = lines(
        'X-Postern-Verdict: ham',
        'Authentication-Results: (comment) mx.example.test; spf=pass',
        'Authentication-Results: other.test; spf=pass',
        'x-postern-a : 1',
        '\tfolded',
      );
      await send(['alice@example.test'], claims + MESSAGE);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.ok(message);
      assert.equal(message.stored.toString(), claims + MESSAGE);
      const shown = message.text.slice(message.text.indexOf('+0000\r\n') + 7);
      assert.equal(shown, `Authentication-Results: other.test; spf=pass\r\n${MESSAGE}`);
    });

    it('a header of more fields than are told apart is refused, so that none slips through', async () => {
      const many = 'A: b\r\n'.repeat(2500);
      assert.equal(
        await refusal(send(['alice@example.test'], `${many}X-Postern-Verdict: ham\r\n${MESSAGE}`)),
        '552 5.3.4',
      );
    });

    it('of repeated fields the last Message-ID counts, as in the ENVELOPE', async () => {
      const { reply } = await send(['alice@example.test'], `Message-ID: <zero@sender.test>\r\n${MESSAGE}`);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.match(message?.envelope ?? '', /one@sender\.test/);
      const trace = traceOf(reply);
      assert.match((await journalOf(flow.store, trace))[0] ?? '', /"messageId":"one@sender\.test"/);
    });

    it('the journal: accepted and deposited, found by address and Message-ID', async () => {
      const { reply } = await send(['alice@example.test']);
      const trace = traceOf(reply);
      const kinds = (await journalOf(flow.store, trace)).map((text) => text.split(' ')[0]);
      assert.deepEqual(kinds, ['message.accepted', 'message.deposited']);
      for (const term of [
        'm:one@sender.test',
        'a:alice@example.test',
        'a:carol@sender.test',
        'i:192.0.2.1',
      ]) {
        const found = await flow.store.read.run('journal.find', { term, limit: 10 });
        assert.deepEqual(
          found.map((each) => each.trace),
          [trace],
          term,
        );
      }
    });
  });

  describe('quota met meanwhile', () => {
    let full: number;
    beforeEach(async () => {
      full = await flow.addAccount('full@example.test', { quota: 100 });
    });

    it('a copy in Junk when others took it, with the reason in the journal', async () => {
      const { reply } = await send(['full@example.test', 'alice@example.test']);
      assert.equal(code(reply), '250 2.0.0');
      assert.equal((await mailbox(flow.store, full)).length, 0);
      assert.equal((await mailbox(flow.store, full, 'Junk')).length, 1);
      const trace = traceOf(reply);
      const events = await journalOf(flow.store, trace);
      assert.ok(events.some((text) => text.includes('"mailbox":"Junk"') && text.includes('quota')));
      assert.ok(
        !events.some((text) => text.includes('full@example.test') && text.includes('"mailbox":"INBOX"')),
      );
    });

    it('452 and nothing stored when all refuse, body files included', async () => {
      const big = Buffer.concat([Buffer.from(MESSAGE), Buffer.alloc(400_000, 'x\r\n')]);
      assert.equal(await refusal(send(['full@example.test'], MESSAGE)), '452 4.2.2');
      assert.equal(await refusal(send(['full@example.test'], big)), '452 4.2.2');
      assert.equal((await mailbox(flow.store, full, 'Junk')).length, 0);
      assert.deepEqual(await bodyFiles(flow.store), []);
      assert.equal(flow.events.filter(({ kind }) => kind === 'message.refused').length, 2);
      assert.deepEqual(
        await flow.store.read.run('journal.find', { term: 'm:one@sender.test', limit: 9 }),
        [],
      );
    });

    it('LMTP answers each recipient; nothing is left when none takes it', async () => {
      const facts = session({ protocol: 'lmtp', remoteAddress: '' });
      const both = await transact(
        lmtp,
        facts,
        'c@sender.test',
        ['full@example.test', 'alice@example.test'],
        MESSAGE,
      );
      assert.deepEqual(both.perRecipient.map(code), ['452 4.2.2', '250 2.0.0']);
      assert.equal((await mailbox(flow.store, full, 'Junk')).length, 0);
      const big = Buffer.concat([Buffer.from(MESSAGE), Buffer.alloc(400_000, 'x\r\n')]);
      const none = await transact(lmtp, facts, 'c@sender.test', ['full@example.test'], big);
      assert.deepEqual(none.perRecipient.map(code), ['452 4.2.2']);
      assert.deepEqual(await bodyFiles(flow.store), []);
      const accepted = await flow.store.read.run('journal.find', { term: 'm:one@sender.test', limit: 9 });
      assert.equal(accepted.length, 1, 'what nobody took was not accepted');
      assert.equal(flow.events.filter(({ kind }) => kind === 'message.refused').length, 2);
    });

    it('an account that goes away meanwhile: refused, not lost', async () => {
      const transaction = await smtp.mail(session(), 'c@sender.test', noParams);
      await transaction.rcpt('bob@example.test', { notify: [], orcpt: undefined });
      await flow.store.write.run('directory.removeAccount', {
        actor: flow.admin,
        address: 'bob@example.test',
        purge: true,
      });
      const sink = await transaction.open();
      await sink.write(Buffer.from(MESSAGE));
      assert.equal(await refusal(sink.finish()), '550 5.1.1');
    });

    it('beside others who take the message, it is in the journal whom the 250 does not hold for', async () => {
      const transaction = await smtp.mail(session(), 'c@sender.test', noParams);
      for (const address of ['bob@example.test', 'alice@example.test'])
        await transaction.rcpt(address, { notify: [], orcpt: undefined });
      const actor = flow.admin;
      const address = 'bob@example.test';
      await flow.store.write.run('directory.removeAccount', { actor, address, purge: true });
      const sink = await transaction.open();
      await sink.write(Buffer.from(MESSAGE));
      assert.equal(code((await sink.finish()).reply), '250 2.0.0');
      assert.equal((await mailbox(flow.store, flow.alice)).length, 1);
      const told = flow.events.filter(({ kind }) => kind === 'message.refused');
      assert.deepEqual(
        told.map(({ data }) => data['to']),
        ['bob@example.test'],
      );
    });
  });

  describe('large messages', () => {
    const big = Buffer.concat([Buffer.from(MESSAGE), Buffer.alloc(600_000, 'line of text\r\n')]);

    it('go to a file and come back whole', async () => {
      await send(['alice@example.test'], big);
      assert.equal((await bodyFiles(flow.store)).length, 1);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.ok(message?.stored.equals(big));
    });

    it('a middling one is kept compressed and comes back whole', async () => {
      const middling = Buffer.concat([Buffer.from(MESSAGE), Buffer.alloc(30_000, 'line of text\r\n')]);
      await send(['alice@example.test'], middling);
      const [message] = await mailbox(flow.store, flow.alice);
      assert.ok(message?.stored.equals(middling));
    });

    it('over the limit: 552 5.3.4, and abort leaves no file', async () => {
      flow.set({ maxMessageBytes: 500_000 });
      assert.equal(await refusal(send(['alice@example.test'], big)), '552 5.3.4');
      const transaction = await smtp.mail(session(), 'c@sender.test', noParams);
      await transaction.rcpt('bob@example.test', { notify: [], orcpt: undefined });
      const sink = await transaction.open();
      const pending = sink.write(big.subarray(0, 400_000));
      sink.abort();
      await pending;
      assert.deepEqual(await bodyFiles(flow.store), []);
    });

    it('a loop found at the end removes the file; an unknown outcome leaves it to the sweep', async () => {
      const loop = Buffer.concat([Buffer.from('Received: x\r\n'.repeat(101)), big]);
      assert.equal(await refusal(send(['alice@example.test'], loop)), '554 5.4.6');
      assert.deepEqual(await bodyFiles(flow.store), []);
      const { store } = flow.deps;
      const failing = { ...store, write: { run: () => Promise.reject(new Error('lost')) } };
      flow.deps = { ...flow.deps, store: failing };
      await assert.rejects(send(['alice@example.test'], big), /lost/);
      assert.equal((await bodyFiles(flow.store)).length, 1);
    });
  });

  describe('aliases to addresses elsewhere', () => {
    beforeEach(async () => {
      await flow.addAlias('away@example.test', 'carla@far.test');
    });

    it('the original octets, an SRS reverse-path, Delivered-To against loops', async () => {
      await send(['away@example.test', 'alice@example.test']);
      const [entry, more] = await queue();
      assert.ok(entry);
      assert.equal(more, undefined);
      const { message, recipients } = entry;
      assert.equal(message.origin, 'forward');
      assert.match(message.reversePath, /^SRS0=\w+=\w\w=sender\.test=carol@example\.test$/);
      assert.match(
        Buffer.from(message.prefix).toString(),
        /^Delivered-To: away@example\.test\r\nReceived: from /,
      );
      assert.equal((await flow.store.blobs.bytes(message.blobId)).toString(), MESSAGE);
      assert.equal(message.size, MESSAGE.length + message.prefix.length);
      assert.deepEqual(
        recipients.map(({ address }) => address),
        ['carla@far.test'],
      );
      assert.equal(message.mayBounce, false, 'nothing proves the sender');
    });

    it('two aliases: two messages, neither names the other', async () => {
      await flow.addAlias('away2@example.test', 'dora@far.test');
      await send(['away@example.test', 'away2@example.test']);
      const prefixes = (await queue()).map(({ message }) => Buffer.from(message.prefix).toString());
      assert.equal(prefixes.length, 2);
      assert.ok(prefixes[0]?.includes('away@') && !prefixes[0].includes('away2@'));
      assert.ok(prefixes[1]?.includes('away2@') && !prefixes[1].includes('away@'));
    });

    it('a sender of ours keeps its reverse-path; SPF pass or an aligned signature lets failures be told', async () => {
      await send(['away@example.test'], MESSAGE, 'bob@example.test');
      publishSpf();
      await send(['away@example.test']);
      const [own, genuine] = await queue();
      assert.equal(own?.message.reversePath, 'bob@example.test');
      assert.equal(own?.message.mayBounce, false);
      assert.equal(genuine?.message.mayBounce, true);
    });

    it('a DKIM signature of the reverse-path’s domain proves it, one of another does not', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
      const signedBy = async (domain: string): Promise<boolean | undefined> => {
        flow.zone[`s._domainkey.${domain}`] = { TXT: [`v=DKIM1; k=ed25519; p=${p}`] };
        const key = { domain, selector: 's', algorithm: 'ed25519-sha256', key: privateKey } as const;
        const whole = Buffer.from(MESSAGE);
        const fields = await signAll({ ...hashed(whole), nowMs: flow.clock.now(), keys: [key] });
        await send(['away@example.test'], Buffer.concat([fields, whole]), 'carol@news.sender.test');
        return (await queue()).at(-1)?.message.mayBounce;
      };
      assert.equal(await signedBy('sender.test'), true);
      assert.equal(await signedBy('news.sender.test'), true);
      assert.equal(await signedBy('customer.news.sender.test'), false);
      assert.equal(await signedBy('other.sender.test'), false);
      assert.equal(await signedBy('s.test'), false);
      assert.equal(await signedBy('er.test'), false);
    });

    it('a bounce to the rewritten address goes to the sender; forged, old or ordinary mail is refused', async () => {
      await send(['away@example.test']);
      const srs = (await queue())[0]?.message.reversePath ?? '';
      const { reply } = await send([srs.toLowerCase()], MESSAGE, '');
      assert.equal(code(reply), '250 2.0.0');
      const back = (await queue())[1];
      assert.equal(back?.message.reversePath, '');
      assert.deepEqual(
        back?.recipients.map(({ address }) => address),
        ['carol@sender.test'],
      );
      const refused = async (address: string, from = ''): Promise<string> => {
        const transaction = await smtp.mail(session(), from, noParams);
        return refusal(transaction.rcpt(address, { notify: [], orcpt: undefined }));
      };
      assert.equal(await refused(srs, 'x@sender.test'), '550 5.7.1');
      assert.equal(await refused(srs.replace('carol', 'victim')), '550 5.1.1');
      flow.clock.advance(30 * 86_400_000);
      assert.equal(await refused(srs), '550 5.1.1');
    });

    it('a sender too long for SRS is kept under a token', async () => {
      const long = `${'x'.repeat(60)}@${'sub.'.repeat(20)}sender.test`;
      await send(['away@example.test'], MESSAGE, long);
      const srs = (await queue())[0]?.message.reversePath ?? '';
      assert.match(srs, /^SRST=/);
      await send([srs], MESSAGE, '');
      assert.deepEqual(
        (await queue())[1]?.recipients.map(({ address }) => address),
        [long],
      );
    });

    it('what was forwarded here before is refused, for its own recipient alone', async () => {
      const looped = `Delivered-To: Away@Example.test\r\n${MESSAGE}`;
      assert.equal(await refusal(send(['away@example.test'], looped)), '554 5.4.6');
      const { reply } = await send(['away@example.test', 'alice@example.test'], looped);
      assert.equal(code(reply), '250 2.0.0');
      assert.equal((await mailbox(flow.store, flow.alice)).length, 1);
      assert.equal((await queue()).length, 0);
      const trace = traceOf(reply);
      assert.ok(
        (await journalOf(flow.store, trace)).some(
          (text) => text.startsWith('message.refused') && text.includes('loop'),
        ),
      );
      publishSpf();
      await send(['away@example.test', 'alice@example.test'], looped);
      const [notice] = await queue();
      assert.equal(notice?.message.origin, 'dsn');
      const text = (await flow.store.blobs.bytes(notice?.message.blobId ?? 0)).toString();
      assert.match(text, /Final-Recipient: rfc822; away@example\.test\r\nAction: failed\r\nStatus: 5\.4\.6/);
    });

    it('SMTPUTF8 and 8BITMIME are asked of the next hop only when needed', async () => {
      const params = { body: '8BITMIME', smtputf8: true } as const;
      await transact(smtp, session(), 'carol@sender.test', ['away@example.test'], MESSAGE, params);
      await transact(
        smtp,
        session(),
        'carol@sender.test',
        ['away@example.test'],
        `${MESSAGE}\xc3\xbc\r\n`,
        params,
      );
      const found = (await queue()).map(({ message }) => [message.body, message.smtputf8]);
      assert.deepEqual(found, [
        ['7BIT', false],
        ['8BITMIME', false],
      ]);
    });
  });

  describe('NOTIFY=SUCCESS', () => {
    const ask = (to: string) => [{ address: to, notify: ['SUCCESS' as const] }];

    it('a proven sender is told of the delivery with the accept, one that is not proven never', async () => {
      await send(ask('alice@example.test'));
      assert.equal((await queue()).length, 0);
      publishSpf();
      await send(ask('alice@example.test'));
      const [notice] = await queue();
      assert.equal(notice?.message.reversePath, '');
      assert.deepEqual(
        notice?.recipients.map(({ address }) => address),
        ['carol@sender.test'],
      );
      const text = (await flow.store.blobs.bytes(notice?.message.blobId ?? 0)).toString();
      assert.match(
        text,
        /Final-Recipient: rfc822; alice@example\.test\r\nAction: delivered\r\nStatus: 2\.0\.0/,
      );
      assert.match(text, /From: .*mailer-daemon@example\.test/);
      assert.match(Buffer.from(notice?.message.prefix ?? []).toString(), /^DKIM-Signature: /);
    });

    it('an alias to several is expanded here, the rest is not asked again; an alias to one takes the wish along', async () => {
      publishSpf();
      await flow.addAlias('both@example.test', 'alice@example.test', 'carla@far.test');
      await flow.addAlias('one@example.test', 'carla@far.test');
      await send(ask('both@example.test'));
      await send(ask('one@example.test'));
      const entries = await queue();
      const told = entries.filter(({ message }) => message.origin === 'dsn');
      assert.equal(told.length, 1);
      const text = (await flow.store.blobs.bytes(told[0]?.message.blobId ?? 0)).toString();
      assert.match(text, /Action: expanded/);
      const notify = entries.flatMap(({ message, recipients }) =>
        message.origin === 'forward' ? recipients.map((r) => r.notify) : [],
      );
      assert.deepEqual(notify, ['NEVER', 'SUCCESS']);
    });

    it('LMTP never proves a sender', async () => {
      publishSpf();
      await transact(
        lmtp,
        session({ protocol: 'lmtp' }),
        'carol@sender.test',
        ask('alice@example.test'),
        MESSAGE,
      );
      assert.equal((await queue()).length, 0);
    });
  });
});
