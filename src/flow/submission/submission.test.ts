import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Enqueue, QueueMessage } from '../../data/queue/types.ts';
import {
  bodyFiles,
  code,
  dkimResults,
  type FlowFixture,
  journalOf,
  lines,
  loggedIn,
  mailbox,
  noParams,
  openFlow,
  refusal,
  session,
  traceOf,
  transact,
} from '../../../test/support/flow.ts';
import { firstOctets, queuedContent } from '../outbound/content.ts';
import type { MailService } from '../service.ts';
import { HourlyCounts } from './hourly.ts';
import { createSubmission } from './service.ts';

const BODY = lines('', 'Hello');
const HEADER = lines('From: Alice <alice@example.test>', 'To: bob@example.test', 'Subject: hi');
const SIGNED = ['pass rsa-sha256', 'pass ed25519-sha256'];

describe('submission', () => {
  let flow: FlowFixture;
  let service: MailService;

  beforeEach(async () => {
    flow = await openFlow();
    service = createSubmission(() => flow.deps, new HourlyCounts(flow.clock));
  });
  afterEach(() => flow.close());

  const send = (
    message: string | Buffer,
    to: Parameters<typeof transact>[3] = ['bob@example.test'],
    from = 'alice@example.test',
    params: Parameters<typeof transact>[5] = {},
  ) => transact(service, loggedIn(flow), from, to, message, params);
  const queue = () => flow.store.read.run('queue.list', { limit: 100 });
  const asSent = (message: QueueMessage): Promise<Buffer> => {
    const content = queuedContent(flow.store.blobs, message);
    return firstOctets(content, Number.MAX_SAFE_INTEGER);
  };

  describe('whose addresses', () => {
    const mailFrom = (path: string) => refusal(service.mail(loggedIn(flow), path, noParams));
    const from = (...fields: string[]) => refusal(send(lines(...fields) + BODY));

    it('reverse-path: own ones in every form, others 553 5.7.1, null is anybody’s', async () => {
      await flow.addAlias('sales@example.test', 'alice@example.test');
      await flow.store.write.run('directory.addGrant', {
        actor: flow.admin,
        account: 'alice@example.test',
        address: 'boss@elsewhere.test',
      });
      for (const own of [
        'alice@example.test',
        'ALICE+x@Example.TEST',
        'sales@example.test',
        'boss@elsewhere.test',
        '',
      ])
        assert.equal(await mailFrom(own), 'not refused', own);
      for (const other of ['bob@example.test', 'alice@elsewhere.test', 'nobody@example.test'])
        assert.equal(await mailFrom(other), '553 5.7.1', other);
      assert.equal(
        await refusal(service.mail(session({ protocol: 'submission' }), 'a@b.test', noParams)),
        '530 5.7.0',
      );
      assert.equal(flow.events.filter(({ kind }) => kind === 'mail.refused').length, 4);
    });

    it('From and Sender likewise, whatever their form', async () => {
      await flow.addAlias('sales@example.test', 'alice@example.test');
      assert.equal(await from('From: sales@example.test'), 'not refused');
      assert.equal(await from('From: "Alice, A." <alice+list@example.test>'), 'not refused');
      assert.equal(await from('From: Bob <bob@example.test>'), '553 5.7.1');
      assert.equal(await from('From: alice@example.test, bob@example.test'), '553 5.7.1');
      assert.equal(await from('From: team: alice@example.test, bob@example.test;'), '553 5.7.1');
      assert.equal(await from('From: alice@example.test', 'Sender: bob@example.test'), '553 5.7.1');
      assert.equal(await from('From : Bob\t<bob', '\t@example.test>'), '553 5.7.1');
      assert.equal(await from('From: =?utf-8?q?alice=40example.test?= <bob@example.test>'), '553 5.7.1');
      assert.equal(await from('From: alice@example.test', 'FROM: bob@example.test'), '554 5.6.0');
      assert.equal(
        await from('From: alice@example.test', 'Sender: alice@example.test', 'Sender: bob@example.test'),
        '554 5.6.0',
      );
      assert.equal(await from('From: undisclosed'), '553 5.7.1');
      assert.equal(await from('From:'), '554 5.6.0');
      assert.deepEqual(await bodyFiles(flow.store), []);
    });

    it('Resent-From and Resent-Sender likewise, in every block', async () => {
      const own = 'From: alice@example.test';
      const resentBy = 'Resent-From: Alice <alice+x@example.test>';
      assert.equal(await from(resentBy, 'Resent-Sender: alice@example.test', own), 'not refused');
      assert.equal(await from(resentBy, resentBy, own), 'not refused');
      assert.equal(await from('Resent-From: bob@example.test', own), '553 5.7.1');
      assert.equal(await from(resentBy, own, 'RESENT-FROM : Bob <bob@example.test>'), '553 5.7.1');
      assert.equal(await from('Resent-From: alice@example.test, bob@example.test', own), '553 5.7.1');
      assert.equal(await from(resentBy, 'Resent-Sender: bob@example.test', own), '553 5.7.1');
      const senders = ['Resent-Sender: alice@example.test', 'Resent-Sender: x@elsewhere.test'];
      assert.equal(await from(resentBy, ...senders, own), '553 5.7.1');
      assert.equal(await from('Resent-From:', own), '554 5.6.0');
      assert.equal(await from(...Array.from({ length: 21 }, () => resentBy), own), '554 5.6.0');
      assert.equal(await from(resentBy, 'From: bob@example.test'), '553 5.7.1');
    });
  });

  describe('the header', () => {
    it('Date, Message-ID and From are added where they are missing, and signed', async () => {
      await send(lines('Subject: hi') + BODY);
      const [message] = await mailbox(flow.store, flow.bob);
      assert.ok(message);
      assert.match(message.text, /\r\nDate: Tue, 1 Jan 2030 00:00:00 \+0000\r\n/);
      assert.match(message.text, /\r\nMessage-ID: <\w{24}@example\.test>\r\n/);
      assert.match(message.text, /\r\nFrom: "Alice A\." <alice@example\.test>\r\nSubject: hi\r\n/);
      assert.match(
        message.envelope,
        /^\("Tue, 1 Jan 2030 00:00:00 \+0000" "hi" \(\("Alice A\." NIL "alice" "example\.test"\)\)/,
      );
      assert.match(message.envelope, /"<\w{24}@example\.test>"\)$/);
      assert.deepEqual(await dkimResults(flow, message.bytes), SIGNED);
    });

    it('nothing is added to what is complete', async () => {
      const whole =
        lines('Date: Tue, 1 Jan 2030 00:00:00 +0000', 'Message-ID: <a@example.test>') + HEADER + BODY;
      await send(whole);
      const [message] = await mailbox(flow.store, flow.bob);
      assert.equal(message?.text.split(/^Date:/m).length, 2);
      assert.equal(message?.stored.toString(), whole);
    });

    it('Bcc and what tells of the client are not shown, to nobody, nor in the ENVELOPE; the client is not in Received', async () => {
      const secret = lines(
        'Bcc: carl@example.test',
        'User-Agent: SecretMail 1.0',
        'X-Mailer: SecretMail',
        'X-Originating-IP: 203.0.113.77',
        'bcc: dora@far.test',
      );
      await send(secret + HEADER + BODY, ['bob@example.test', 'dora@far.test']);
      const [local] = await mailbox(flow.store, flow.bob);
      const [queued] = await queue();
      assert.ok(local && queued);
      const remote = await asSent(queued.message);
      assert.equal(remote.length, queued.message.size);
      for (const text of [local.text, remote.toString('latin1'), local.envelope])
        assert.doesNotMatch(text, /^bcc|carl@|dora@|"dora"|SecretMail|203\.0\.113\.77|laptop/im);
      assert.match(local.text, /\r\nReceived: by mx\.example\.test with ESMTPA id \w+;\r\n/);
      assert.match(remote.toString('latin1'), /\r\nReceived: by mx\.example\.test with ESMTPA id \w+;\r\n/);
      assert.deepEqual(await dkimResults(flow, local.bytes), SIGNED);
      assert.deepEqual(await dkimResults(flow, remote), SIGNED);
    });

    it('From in UTF-8 under SMTPUTF8 is that of its owner', async () => {
      const id = await flow.addAccount('jürgen@example.test', { displayName: 'Jürgen' });
      const facts = loggedIn(flow, 'jürgen@example.test', id);
      const message = Buffer.from(lines('Subject: grüße') + BODY);
      await transact(service, facts, 'jürgen@example.test', ['bob@example.test'], message, {
        smtputf8: true,
      });
      const explicit = Buffer.from(lines('From: jürgen@example.test') + BODY);
      await transact(service, facts, 'jürgen@example.test', ['bob@example.test'], explicit, {
        smtputf8: true,
      });
      const [first, second] = await mailbox(flow.store, flow.bob);
      assert.match(first?.bytes.toString('utf8') ?? '', /From: =\?utf-8\?.*<jürgen@example\.test>/i);
      for (const message of [first, second])
        assert.deepEqual(await dkimResults(flow, message?.bytes ?? Buffer.alloc(0)), SIGNED);
      assert.equal(
        await refusal(
          transact(service, loggedIn(flow), 'alice@example.test', ['bob@example.test'], explicit, {
            smtputf8: true,
          }),
        ),
        '553 5.7.1',
      );
    });
  });

  describe('DKIM', () => {
    const cases: [string, string | Buffer][] = [
      ['no empty line', HEADER],
      ['an empty body', `${HEADER}\r\n`],
      ['a body of empty lines', `${HEADER}\r\n\r\n\r\n\r\n`],
      ['no header at all', '\r\nbody only\r\n'],
      ['a line that is no field', `${HEADER}this is no field\r\nX-A: b\r\n${BODY}`],
      ['white space at line ends, tabs', `${HEADER}X-A: b \t \r\n \t c\r\n\r\na  b\t\r\n \r\n`],
      [
        'a header that ends at a piece’s end',
        `${HEADER}X-Pad: ${'x'.repeat(7919 - HEADER.length - 11)}\r\n\r\nbody\r\n`,
      ],
      [
        'a header that ends across pieces',
        `${HEADER}X-Pad: ${'x'.repeat(7919 - HEADER.length - 10)}\r\n\r\nbody\r\n`,
      ],
      [
        'one that goes to a file',
        Buffer.concat([Buffer.from(`${HEADER}\r\n`), Buffer.alloc(700_000, 'some text \r\n')]),
      ],
    ];
    for (const [name, message] of cases) {
      it(`holds over what recipients get: ${name}`, async () => {
        await send(message, ['bob@example.test', 'x@far.test']);
        const [local] = await mailbox(flow.store, flow.bob);
        const [queued] = await queue();
        assert.ok(local && queued);
        assert.deepEqual(await dkimResults(flow, local.bytes), SIGNED);
        assert.deepEqual(await dkimResults(flow, await asSent(queued.message)), SIGNED);
      });
    }

    it('one more From breaks it', async () => {
      await send(HEADER + BODY);
      const [message] = await mailbox(flow.store, flow.bob);
      const forged = Buffer.concat([
        Buffer.from('From: boss@example.test\r\n'),
        message?.bytes ?? Buffer.alloc(0),
      ]);
      assert.ok((await dkimResults(flow, forged)).every((result) => result.startsWith('fail')));
    });

    it('a From elsewhere by grant is signed by the account’s domain; the journal says with what', async () => {
      await flow.store.write.run('directory.addGrant', {
        actor: flow.admin,
        account: 'alice@example.test',
        address: 'boss@elsewhere.test',
      });
      const { reply } = await send(lines('From: boss@elsewhere.test') + BODY);
      const [message] = await mailbox(flow.store, flow.bob);
      assert.deepEqual(await dkimResults(flow, message?.bytes ?? Buffer.alloc(0)), SIGNED);
      const trace = traceOf(reply);
      assert.ok(
        (await journalOf(flow.store, trace)).some((text) => text.includes('rsa._domainkey.example.test')),
      );
    });
  });

  describe('recipients', () => {
    it('elsewhere to the queue, here to mailboxes, in one commit', async () => {
      const { reply, refused } = await send(
        HEADER + BODY,
        ['bob@example.test', 'x@far.test', 'nobody@example.test'],
        undefined,
        {
          ret: 'HDRS',
          envid: 'e=1',
        },
      );
      assert.equal(code(reply), '250 2.0.0');
      assert.equal(code(refused.get('nobody@example.test')), '550 5.1.1');
      assert.equal((await mailbox(flow.store, flow.bob)).length, 1);
      const [entry] = await queue();
      const { message } = entry ?? assert.fail();
      assert.deepEqual(
        [
          message.origin,
          message.reversePath,
          message.mayBounce,
          message.ret,
          message.envid,
          message.originated,
        ],
        ['submission', 'alice@example.test', true, 'HDRS', 'e=1', true] satisfies [
          Enqueue['origin'],
          ...unknown[],
        ],
      );
      assert.equal(message.expiresAt, flow.clock.now() + 5 * 86_400_000);
    });

    it('are held where outgoing mail is', async () => {
      flow.set({ holdOutgoing: 'this is a try-out' });
      await send(HEADER + BODY, ['x@far.test']);
      const [entry] = await queue();
      assert.deepEqual(
        entry?.recipients.map(({ state }) => state),
        ['held'],
      );
      assert.equal(entry?.message.holdReason, 'this is a try-out');
    });

    it('8-bit octets that were not declared are declared to the next hop, since we can re-encode them', async () => {
      await send(Buffer.from(`${HEADER}\r\ngrüße\r\n`), ['x@far.test']);
      assert.equal((await queue())[0]?.message.body, '8BITMIME');
    });

    it('NOTIFY=SUCCESS for one here: a notice on its way to the sender with the accept', async () => {
      await send(HEADER + BODY, [{ address: 'bob@example.test', notify: ['SUCCESS'] }]);
      const [notice] = await queue();
      assert.equal(notice?.message.origin, 'dsn');
      assert.deepEqual(
        notice?.recipients.map(({ address }) => address),
        ['alice@example.test'],
      );
    });
  });

  describe('limits of an hour', () => {
    it('messages: 450 4.7.1 at MAIL with the minutes, over when the hour is', async () => {
      flow.set({ messagesPerHour: 2 });
      await send(HEADER + BODY);
      await send(HEADER + BODY);
      const again = service.mail(loggedIn(flow), 'alice@example.test', noParams);
      await assert.rejects(again, /More than 2 messages in an hour; try again in 60 min/);
      assert.equal(
        await refusal(
          service.mail(loggedIn(flow, 'bob@example.test', flow.bob), 'bob@example.test', noParams),
        ),
        'not refused',
      );
      flow.clock.advance(60 * 60_000);
      assert.equal(
        await refusal(service.mail(loggedIn(flow), 'alice@example.test', noParams)),
        'not refused',
      );
    });

    it('recipients: 450 4.7.1 at the one too many; what was refused does not count', async () => {
      flow.set({ recipientsPerHour: 3 });
      assert.equal(
        await refusal(send(lines('From: bob@example.test') + BODY, ['a@far.test', 'b@far.test'])),
        '553 5.7.1',
      );
      const { refused } = await send(HEADER + BODY, ['a@far.test', 'b@far.test', 'c@far.test', 'd@far.test']);
      assert.deepEqual(
        [...refused].map(([address, reply]) => [address, code(reply)]),
        [['d@far.test', '450 4.7.1']],
      );
      assert.match(
        refused.get('d@far.test')?.lines[0] ?? '',
        /More than 3 recipients in an hour; try again in \d+ min/,
      );
    });

    it('sessions side by side do not get past them', async () => {
      flow.set({ recipientsPerHour: 3 });
      const open = async () => {
        const transaction = await service.mail(loggedIn(flow), 'alice@example.test', noParams);
        for (const to of ['a@far.test', 'b@far.test'])
          await transaction.rcpt(to, { notify: [], orcpt: undefined });
        const sink = await transaction.open();
        await sink.write(Buffer.from(HEADER + BODY));
        return sink;
      };
      const sinks = await Promise.all([open(), open()]);
      const answers = await Promise.all(sinks.map((sink) => refusal(sink.finish())));
      assert.deepEqual(answers.toSorted(), ['450 4.7.1', 'not refused']);
      assert.equal((await queue()).length, 1);
    });
  });
});
