import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  bodyFiles,
  journalOf,
  lines,
  mailbox,
  refusal,
  session,
  transact,
} from '../../../test/support/flow.ts';
import { openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import { type SmtpPeer, startSmtpPeer } from '../../../test/support/smtp-peer.ts';
import type { Actor } from '../../data/directory/types.ts';
import { MAX_UID } from '../../data/mailstore/types.ts';
import { Right } from '../../data/sharing/rights.ts';
import type { Place } from '../../data/sieve/types.ts';
import { createInbound } from '../inbound/service.ts';
import { generate } from './generate.ts';
import { sieveSettingsSchema } from './settings.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const DAY = 86_400_000;

const LETTER = lines(
  'From: Carol <carol@sender.test>',
  'To: alice@example.test',
  'Subject: hello',
  'Message-ID: <one@sender.test>',
  'References: <zero@sender.test>',
  '',
  'Hello Alice',
);

describe('scripts at delivery', () => {
  let out: OutboundFixture;
  let peer: SmtpPeer;

  beforeEach(async () => {
    peer = await startSmtpPeer();
    out = await openOutbound({ port: peer.port });
  });
  afterEach(async () => {
    await out.close();
    await peer.close();
  });

  const put = (place: Place, text: string, name = 'main') =>
    out.flow.store.write.run('sieve.put', { actor: SYSTEM, place, name, text, activate: true });
  const script = (text: string, accountId = out.flow.alice) => put({ kind: 'account', accountId }, text);
  const box = async (name = 'INBOX', id = out.flow.alice) =>
    (await mailbox(out.flow.store, id, name)).map(({ text }) => text);
  const receive = (to = ['alice@example.test'], message = LETTER, from = 'carol@sender.test') =>
    out.receive(to, message, from);
  const genuine = (): void => {
    out.flow.zone['sender.test'] = {
      TXT: ['v=spf1 ip4:192.0.2.1 -all'],
      MX: [{ preference: 10, exchange: 'mx.far.test' }],
    };
    out.flow.clock.advance(120_000);
  };
  const flags = async (name: string) => {
    const { store, alice } = out.flow;
    const found = await store.read.run('mailstore.mailbox', { accountId: alice, name });
    assert.ok(found, name);
    const rows = await store.read.run('mailstore.fetch', {
      mailboxId: found.id,
      ranges: [{ from: 1, to: MAX_UID }],
      want: [],
      limit: 10,
    });
    return rows.map((row) => [row.flags, ...row.keywords]);
  };
  const journal = async (trace: string) => (await journalOf(out.flow.store, trace)).join('\n');

  const share = async (rights: number) => {
    const { store, bob } = out.flow;
    await store.write.run('mailstore.createMailbox', { accountId: bob, name: 'Team' });
    await store.write.run('sharing.setRights', {
      actor: SYSTEM,
      account: 'bob@example.test',
      mailbox: 'Team',
      identifier: 'alice@example.test',
      mode: 'replace',
      rights,
    });
  };
  const team = () => box('Team', out.flow.bob);

  describe('filing', () => {
    it('into several mailboxes from one body, made where asked for, with flags; the journal names the line', async () => {
      await script(
        lines(
          'require ["fileinto", "mailbox", "imap4flags", "copy"];',
          '# a comment',
          'fileinto :create :flags ["\\\\Seen", "$work"] "Lists/dev";',
          'fileinto "Archive";',
        ),
      );
      const trace = await receive();
      assert.equal((await box('Lists/dev')).length, 1);
      assert.equal((await box('Archive')).length, 1);
      assert.equal((await box()).length, 0);
      assert.deepEqual(await flags('Lists/dev'), [[1, '$work']]);
      const told = await journal(trace);
      assert.match(told, /"mailbox":"Lists\/dev","reason":"filed into Lists\/dev by line 3 of script main"/);
      assert.match(told, /"mailbox":"Archive","reason":"filed into Archive by line 4 of script main"/);
      const quota = await out.flow.store.read.run('mailstore.quota', { accountId: out.flow.alice });
      assert.equal(quota.emails, 1, 'one email lies in both');
    });

    it('a mailbox that is missing means INBOX, and the journal says so', async () => {
      await script('require "fileinto"; fileinto "Nowhere";');
      const trace = await receive();
      assert.equal((await box()).length, 1);
      assert.match(
        await journal(trace),
        /line 1 of script main files it into Nowhere, and there is no such mailbox/,
      );
    });

    it('a name that nothing can have means INBOX, and the journal says so', async () => {
      for (const name of ['../..', 'a/../b', 'tab\there', 'a//b', 'x'.repeat(1200), '/etc/passwd']) {
        // Constants are looked at when the script is stored; what comes of a message is not known then.
        await script(
          `require ["fileinto", "mailbox", "variables"]; set "n" "${name}"; fileinto :create "${'${n}'}";`,
        );
        const letters = async () => (await box()).filter((text) => text.includes('Hello Alice')).length;
        const before = await letters();
        const trace = await receive();
        assert.equal(await letters(), before + 1, name);
        const said = await journal(trace);
        assert.match(
          said,
          /which cannot be the name of a mailbox|script\.failed .*"line":1,"reason":"[^"]*mailbox/,
        );
      }
    });

    describe('into mailboxes of others', () => {
      const TEAM = 'Other Users/bob@example.test/Team';
      const file = (flagsText = '') =>
        script(`require ["fileinto", "imap4flags"]; fileinto ${flagsText} "${TEAM}";`);

      it('where the rights are given; flags as far as they may be set', async () => {
        const { Insert, Post, Seen } = Right;
        await share(Insert | Post | Seen);
        await file(':flags ["\\\\Seen", "\\\\Flagged", "work"]');
        const trace = await receive();
        assert.equal((await team()).length, 1);
        assert.equal((await box()).length, 0);
        assert.match(await journal(trace), /filed into Other Users\/bob@example\.test\/Team by line 1/);
        const { store, bob } = out.flow;
        const found = await store.read.run('mailstore.mailbox', { accountId: bob, name: 'Team' });
        const ranges = [{ from: 1, to: MAX_UID }];
        const [row] = await store.read.run('mailstore.fetch', {
          mailboxId: found?.id ?? 0,
          ranges,
          want: [],
          limit: 1,
        });
        assert.deepEqual([row?.flags, row?.keywords], [1, []]);
      });

      it('not without the right to send there; there is no difference from one that is not there', async () => {
        await share(Right.Insert | Right.Read);
        await file();
        const trace = await receive();
        assert.equal((await team()).length, 0);
        assert.equal((await box()).length, 1);
        assert.match(await journal(trace), /Team, and there is no such mailbox/);
      });

      it('changed by the script, and beside a copy of one’s own', async () => {
        await share(Right.Insert | Right.Post);
        await script(
          `require ["fileinto", "editheader", "copy"]; fileinto :copy "${TEAM}"; addheader "X-A" "b"; fileinto :copy "${TEAM}"; keep;`,
        );
        await receive(['alice@example.test', 'bob@example.test']);
        assert.equal((await team()).length, 2);
        assert.match((await team()).join(''), /^X-A: b/m);
        assert.match((await box())[0] ?? '', /^X-A: b/);
        assert.equal((await box('INBOX', out.flow.bob)).length, 1);
      });

      it('one that is full takes nothing', async () => {
        await share(Right.Insert | Right.Post);
        const { store } = out.flow;
        await receive(['bob@example.test']);
        await store.write.run('directory.setQuota', { actor: SYSTEM, address: 'bob@example.test', quota: 1 });
        await file();
        await receive();
        assert.equal((await box()).length, 1);
      });
    });

    it('by special use, and by the details of the address', async () => {
      await script(
        lines(
          'require ["fileinto", "special-use", "envelope", "subaddress"];',
          'if envelope :detail "to" "spam" { fileinto :specialuse "\\\\Junk" "Nope"; }',
        ),
      );
      await receive(['alice+spam@example.test']);
      assert.equal((await box('Junk')).length, 1);
      await receive();
      assert.equal((await box()).length, 1);
    });

    it('discard leaves nothing, not even a file; others get theirs', async () => {
      await script('discard;');
      const trace = await receive(['alice@example.test'], `${LETTER}${'x'.repeat(70)}\r\n`.repeat(1));
      assert.deepEqual(await box(), []);
      assert.match(await journal(trace), /script\.acted .*thrown away by line 1 of script main/);
      const big = `${LETTER}${`${'y'.repeat(70)}\r\n`.repeat(5000)}`;
      await receive(['alice@example.test'], big);
      assert.deepEqual(await bodyFiles(out.flow.store), []);
      await receive(['alice@example.test', 'bob@example.test']);
      assert.deepEqual(await box(), []);
      assert.equal((await box('INBOX', out.flow.bob)).length, 1);
    });

    it('headers that a script changes are stored changed, with the body as it was', async () => {
      await script(
        lines(
          'require ["editheader", "fileinto", "copy"];',
          'fileinto :copy "Archive";',
          'addheader "X-Sorted" "yes";',
          'deleteheader "Subject";',
        ),
      );
      const trace = await receive();
      const [changed = ''] = await box();
      assert.match(changed, /^X-Sorted: yes\r\n/);
      assert.doesNotMatch(changed, /Subject: hello/);
      assert.ok(changed.endsWith('\r\n\r\nHello Alice\r\n'));
      assert.match((await box('Archive'))[0] ?? '', /Subject: hello/);
      assert.match(await journal(trace), /"mailbox":"INBOX"/);
    });

    it('a large message with a changed header keeps its one file; the next script sees the change', async () => {
      const body = `${'z'.repeat(70)}\r\n`.repeat(5000);
      await put({ kind: 'site-before' }, 'require "editheader"; addheader "X-Site" "a"; keep;');
      await script(
        'require ["editheader", "copy"]; if header "x-site" "a" { addheader "X-Own" "b"; redirect :copy "f@far.test"; }',
      );
      await receive(['alice@example.test'], LETTER + body);
      await out.idle();
      const [stored = ''] = await box();
      assert.match(stored, /^X-Own: b\r\nX-Site: a\r\nReturn-Path: /);
      assert.ok(stored.endsWith(`\r\n\r\nHello Alice\r\n${body}`));
      const sent = peer.transactions[0]?.data.toString('latin1') ?? '';
      assert.match(sent, /^Delivered-To: alice@example\.test\r\nX-Own: b\r\nX-Site: a\r\n(?!Return-Path)/);
      assert.ok(sent.endsWith(`\r\n\r\nHello Alice\r\n${body}`));
      assert.equal((await bodyFiles(out.flow.store)).length, 1);
    });

    it('another Content-Type is another structure, for IMAP too', async () => {
      await script(
        'require "editheader"; deleteheader "Content-Type"; addheader :last "Content-Type" "text/html";',
      );
      await receive();
      const { store, alice } = out.flow;
      const inbox = await store.read.run('mailstore.mailbox', { accountId: alice, name: 'INBOX' });
      const [row] = await store.read.run('mailstore.fetch', {
        mailboxId: inbox?.id ?? 0,
        ranges: [{ from: 1, to: MAX_UID }],
        want: ['bodystructure'],
        limit: 1,
      });
      assert.match(Buffer.from(row?.bodystructure ?? []).toString(), /"text" "html"/i);
    });

    it('content that a script replaces is stored as it made it', async () => {
      await script('require ["replace", "editheader"]; replace "gone"; addheader "X-Cut" "yes";');
      await receive();
      const [stored = ''] = await box();
      assert.match(stored, /^X-Cut: yes\r\n/);
      assert.match(stored, /gone/);
      assert.doesNotMatch(stored, /Hello Alice/);
    });

    it('annotations of a mailbox can be asked for', async () => {
      const { store, alice } = out.flow;
      const inbox = await store.read.run('mailstore.mailbox', { accountId: alice, name: 'INBOX' });
      const changes = [{ scope: 'private', entry: '/vendor/x', value: Buffer.from('on') }] as const;
      await store.write.run('sharing.annotate', { accountId: alice, mailboxId: inbox?.id ?? 0, changes });
      await script(
        'require ["mboxmetadata", "fileinto"]; if metadata "INBOX" "/private/vendor/x" "on" { fileinto "Trash"; }',
      );
      await receive();
      assert.equal((await box('Trash')).length, 1);
    });

    it('duplicates are known again, in the commit that stores the first', async () => {
      await script('require ["duplicate", "fileinto"]; if duplicate { fileinto "Trash"; }');
      await receive();
      await receive();
      assert.equal((await box()).length, 1);
      assert.equal((await box('Trash')).length, 1);
    });
  });

  describe('before, own and after', () => {
    it('each runs on what the one before kept', async () => {
      await put({ kind: 'site-before' }, 'require "imap4flags"; addflag "$site"; keep;');
      await put({ kind: 'domain-after', domain: 'example.test' }, 'require "fileinto"; fileinto "Archive";');
      await receive();
      assert.deepEqual([(await box()).length, (await box('Archive')).length], [0, 1]);
      await script('require "fileinto"; if header :contains "subject" "hello" { fileinto "Trash"; }');
      await receive();
      assert.deepEqual([(await box('Trash')).length, (await box('Archive')).length], [1, 1]);
      await put({ kind: 'site-before' }, 'discard;');
      await receive();
      assert.deepEqual([(await box('Trash')).length, (await box('Archive')).length], [1, 1]);
    });

    it('a flag of the first stays with what the last keeps', async () => {
      await put({ kind: 'site-before' }, 'require "imap4flags"; addflag "$site"; keep;');
      await script('keep;');
      await receive();
      assert.deepEqual(await flags('INBOX'), [[0, '$site']]);
    });

    it('global and own scripts are included', async () => {
      await put({ kind: 'global' }, 'require "fileinto"; fileinto "Trash";', 'bin');
      await script('require "include"; include :global "bin";');
      const trace = await receive();
      assert.equal((await box('Trash')).length, 1);
      assert.match(await journal(trace), /line 1 of script bin \(included by script main\)/);
    });
  });

  describe('a script that fails', () => {
    it('keeps the message, says so, and tells the owner once a day', async () => {
      await script('require ["include"]; include "missing";');
      const trace = await receive();
      await receive();
      const texts = await box();
      assert.equal(texts.filter((text) => text.includes('Hello Alice')).length, 2);
      const notices = texts.filter((text) => text.includes('A filter script of yours fails'));
      assert.equal(notices.length, 1);
      assert.match(await journal(trace), /script\.failed .*"script":"script main","line":1/);
      assert.match(await journal(trace), /script main failed at line 1/);
      out.flow.clock.advance(DAY + 1);
      await receive();
      assert.equal((await box()).filter((text) => text.includes('A filter script of yours fails')).length, 2);
    });

    it('stored with errors: as if it failed', async () => {
      await script('nonsense here');
      await receive();
      assert.equal((await box()).filter((text) => text.includes('Hello Alice')).length, 1);
    });
  });

  describe('redirect', () => {
    it('sends the message on as it came, from a rewritten sender', async () => {
      await script('redirect "friend@far.test";');
      const trace = await receive();
      await out.idle();
      const [sent] = peer.transactions;
      assert.ok(sent);
      assert.deepEqual(sent.to, ['friend@far.test']);
      assert.match(sent.from, /^SRS0=.*=sender\.test=carol@example\.test$/);
      const text = sent.data.toString('latin1');
      assert.ok(text.startsWith('Delivered-To: alice@example.test\r\nReceived: '));
      assert.ok(text.endsWith(LETTER), 'not an octet of the message is changed');
      assert.deepEqual(await box(), []);
      assert.match(await journal(trace), /sent on to friend@far\.test by line 1 of script main/);
    });

    it('with :copy it stays here too; headers that were changed go out changed, ours do not', async () => {
      await script(
        lines(
          'require ["copy", "editheader"];',
          'addheader "X-Via" "alice";',
          'redirect :copy "friend@far.test";',
        ),
      );
      await receive();
      await out.idle();
      const text = peer.transactions[0]?.data.toString('latin1') ?? '';
      assert.match(text, /^X-Via: alice\r\n/m);
      assert.doesNotMatch(text, /^(?:Return-Path|X-Postern|X-Spam)/m);
      assert.equal((await box()).length, 1);
    });

    it('what comes back ends here', async () => {
      await script('redirect "friend@far.test";');
      const trace = await receive(['alice@example.test'], `Delivered-To: alice@example.test\r\n${LETTER}`);
      assert.equal((await box()).length, 1);
      assert.equal(peer.transactions.length, 0);
      assert.match(await journal(trace), /a loop/);
    });

    it('a circle of two accounts ends after one round', async () => {
      await script('redirect "bob@example.test";');
      await script('redirect "alice@example.test";', out.flow.bob);
      await receive();
      await out.idle();
      assert.equal((await box()).length, 1);
      assert.equal((await box('INBOX', out.flow.bob)).length, 0);
      assert.deepEqual(await out.flow.store.read.run('queue.list', { limit: 10 }), []);
    });

    it('to itself is a keep; what is not sent on is kept', async () => {
      await script('redirect "alice@example.test";');
      await receive();
      assert.equal((await box()).length, 1);
    });
  });

  describe('notify', () => {
    it('line ends in the fields of a mailto URI are no new fields and no new recipients', async () => {
      genuine();
      await script(
        lines(
          'require ["enotify", "variables"];',
          'notify "mailto:friend@far.test?subject=one%0D%0ABcc:%20victim@far.test%0D%0A%0D%0Abody&body=a%0D%0Ab";',
          'set "m" "two',
          'Cc: victim@far.test";',
          'notify :message "${m}" "mailto:other@far.test";',
        ),
      );
      await receive();
      await out.idle();
      assert.deepEqual(peer.transactions.flatMap(({ to }) => to).toSorted(), [
        'friend@far.test',
        'other@far.test',
      ]);
      for (const { data } of peer.transactions) {
        const text = data.toString('latin1');
        const header = text.slice(0, text.indexOf('\r\n\r\n'));
        assert.doesNotMatch(header, /^(?:bcc|cc):/im);
        assert.match(header, /^Subject: (?:one Bcc: victim@far\.test body|two Cc: victim@far\.test)$/m);
      }
    });
  });

  describe('reject', () => {
    const REJECT = 'require "reject"; reject "Nö, not\r\nme";';

    it('is the answer to DATA where nobody else takes it', async () => {
      await script(REJECT);
      assert.equal(await refusal(receive()), '550 5.7.1');
      assert.deepEqual(await box(), []);
      const told = out.flow.events.filter(({ kind }) => kind === 'script.acted');
      assert.match(String(told[0]?.data['what']), /refused by line 1 of script main: No, not/);
    });

    it('is a notification to a proven sender where others take it', async () => {
      genuine();
      await script(REJECT);
      await receive(['alice@example.test', 'bob@example.test']);
      await out.idle();
      assert.deepEqual(await box(), []);
      assert.equal((await box('INBOX', out.flow.bob)).length, 1);
      const [notice] = peer.transactions;
      assert.equal(notice?.from, '');
      assert.deepEqual(notice?.to, ['carol@sender.test']);
      // RFC 5429 2.1.2: the reason as it stands, for people; programs have it without letters that are not ASCII.
      assert.match(notice?.data.toString() ?? '', /N=C3=B6, not me/);
      assert.match(notice?.data.toString() ?? '', /Diagnostic-Code: .*N\?, not me/);
    });

    it('is Junk where the sender is not proven, or there is none', async () => {
      await script(REJECT);
      await receive(['alice@example.test', 'bob@example.test']);
      await receive(['alice@example.test', 'bob@example.test'], LETTER, '');
      await out.idle();
      assert.equal((await box('Junk')).length, 2);
      assert.equal(peer.transactions.length, 0);
    });

    it('is the answer for its own recipient by LMTP', async () => {
      await script(REJECT);
      const lmtp = createInbound(() => out.flow.deps, 'lmtp');
      const facts = session({ protocol: 'lmtp', remoteAddress: '' });
      const to = ['alice@example.test', 'bob@example.test'];
      const { perRecipient } = await transact(lmtp, facts, 'c@sender.test', to, LETTER);
      assert.deepEqual(
        perRecipient.map(({ code, enhanced }) => `${code} ${enhanced}`),
        ['550 5.7.1', '250 2.0.0'],
      );
      assert.deepEqual(await box(), []);
      assert.deepEqual(await box('Junk'), []);
    });

    it('of mail from our own people is told to them', async () => {
      await script(REJECT, out.flow.bob);
      assert.equal(await refusal(out.send(['bob@example.test'])), '550 5.7.1');
      await out.send(['bob@example.test', 'x@far.test']);
      await out.idle();
      assert.match((await box()).join(), /Auto-Submitted: auto-replied[^]*not me/);
      assert.deepEqual(await box('INBOX', out.flow.bob), []);
    });
  });

  describe('vacation', () => {
    const AWAY = 'require "vacation"; vacation :days 3 :subject "Weg" "Bin bis Montag nicht da, Grüße";';

    it('answers once in its period, by the null reverse-path', async () => {
      genuine();
      await script(AWAY);
      const trace = await receive();
      await receive();
      await out.idle();
      assert.equal((await box()).length, 2);
      assert.equal(peer.transactions.length, 1);
      const [reply] = peer.transactions;
      assert.equal(reply?.from, '');
      assert.deepEqual(reply?.to, ['carol@sender.test']);
      const text = reply?.data.toString() ?? '';
      assert.match(text, /^From: "?Alice A\."? <alice@example\.test>\r$/m);
      assert.match(text, /^Subject: Weg\r$/m);
      assert.match(text, /^Auto-Submitted: auto-replied \(vacation\)\r$/m);
      assert.match(text, /^In-Reply-To: <one@sender\.test>\r$/m);
      assert.match(text, /^References: <zero@sender\.test> <one@sender\.test>\r$/m);
      assert.match(text, /^DKIM-Signature: /m);
      assert.match(text, /Bin bis Montag nicht da, Grüße\r\n$/);
      assert.match(
        await journal(trace),
        /line 1 of script main answers carol@sender\.test that alice@example\.test is away/,
      );
      out.flow.clock.advance(3 * DAY + 1);
      await receive();
      await out.idle();
      assert.equal(peer.transactions.length, 2);
    });

    it('nobody answers lists, programs, the null sender, a disproven one', async () => {
      await script(AWAY);
      for (const field of ['List-Id: <x.list.test>', 'Precedence: bulk', 'Auto-Submitted: auto-replied'])
        await receive(['alice@example.test'], `${field}\r\n${LETTER}`);
      await receive(['alice@example.test'], LETTER, '');
      await receive(['alice@example.test'], LETTER, 'mailer-daemon@sender.test');
      out.flow.zone['sender.test'] = { TXT: ['v=spf1 -all'] };
      out.flow.clock.advance(120_000);
      const trace = await receive();
      await out.idle();
      assert.equal(peer.transactions.length, 0);
      assert.equal((await box()).length, 6);
      assert.match(await journal(trace), /not the one it claims to be/);
    });

    it('two that are both away write one reply each', async () => {
      await script(AWAY, out.flow.bob);
      await script(AWAY);
      const to = lines('From: alice@example.test', 'To: bob@example.test', 'Subject: x', '', 'hi');
      await out.send(['bob@example.test'], to);
      await out.idle();
      await out.send(['bob@example.test'], to);
      await out.idle();
      assert.equal((await box()).length, 1, 'the reply of bob');
      assert.equal((await box('INBOX', out.flow.bob)).length, 2, 'the letters, and no reply to a reply');
    });

    it('keeps a copy where :fcc says, only of what was sent; nobody writes in another’s name', async () => {
      genuine();
      await script('require ["vacation", "fcc"]; vacation :from "boss@example.test" :fcc "Sent" "away";');
      await receive();
      await receive();
      await out.idle();
      const sent = await box('Sent');
      assert.equal(sent.length, 1);
      assert.match(sent[0] ?? '', /^From: .*alice@example\.test/m);
      assert.doesNotMatch(sent[0] ?? '', /boss/);
    });

    it('keeps it in the mailbox of the object id, when that is known', async () => {
      genuine();
      const { store, alice } = out.flow;
      const archive = await store.read.run('mailstore.mailbox', { accountId: alice, name: 'Archive' });
      await script(
        `require ["vacation", "fcc", "mailboxid"]; vacation :fcc "Sent" :mailboxid "F${archive?.id}" "away";`,
      );
      await receive();
      await out.idle();
      assert.equal((await box('Archive')).length, 1);
      assert.equal((await box('Sent')).length, 0);
    });
  });

  it('notify writes to whom the script names', async () => {
    await script('require "enotify"; notify :message "post!" "mailto:phone@far.test";');
    await receive();
    await out.idle();
    const [sent] = peer.transactions;
    assert.deepEqual([sent?.from, sent?.to], ['', ['phone@far.test']]);
    assert.match(sent?.data.toString() ?? '', /^Auto-Submitted: auto-notified/m);
    assert.match(sent?.data.toString() ?? '', /^Subject: post!\r$/m);
    assert.equal((await box()).length, 1);
  });

  it('a notification goes to all that the method names, and its message is the subject', async () => {
    await script(
      'require "enotify"; notify :message "post!" "mailto:phone@far.test?cc=boss@far.test&subject=No&body=Look.";' +
        'notify "mailto:phone@far.test?subject=Yes";notify "mailto:phone@far.test";',
    );
    await receive();
    await out.idle();
    const sent = peer.transactions.map(({ to, data }) => ({ to, text: data.toString() }));
    assert.deepEqual(sent.map(({ to }) => to.join()).toSorted(), [
      'boss@far.test',
      'phone@far.test',
      'phone@far.test',
      'phone@far.test',
    ]);
    const both = sent.filter(({ text }) => /^Subject: post!\r$/m.test(text));
    assert.equal(both.length, 2);
    for (const { text } of both)
      assert.match(text, /^To: phone@far\.test\r$[^]*^Cc: boss@far\.test\r$[^]*\r\n\r\nLook\.\r\n$/m);
    assert.ok(sent.some(({ text }) => /^Subject: Yes\r$/m.test(text)));
    assert.ok(sent.some(({ text }) => /^Subject: hello\r$/im.test(text)));
  });

  it('mail of our own people and of the queue is filed too', async () => {
    await script('require "fileinto"; fileinto "Archive";', out.flow.bob);
    await out.send(['bob@example.test']);
    assert.equal((await box('Archive', out.flow.bob)).length, 1);
    await script('redirect "bob@example.test";');
    await receive();
    await out.idle();
    assert.equal((await box('Archive', out.flow.bob)).length, 2);
  });

  it('settings become a script that does what they say', async () => {
    genuine();
    const settings = sieveSettingsSchema.parse({
      vacation: { text: 'Gone.\n.hidden "dot"\\', from: '2029-12-01', until: '2030-01-31' },
      forward: { addresses: ['friend@far.test'] },
      rules: [
        {
          name: 'Lists',
          match: 'any',
          conditions: [{ field: 'subject', value: 'HELLO' }, { list: 'dev.' }],
          actions: [{ flag: 'flagged' }, { file: 'Lists/"dev"' }, { stop: true }],
        },
      ],
    });
    const text = generate(settings);
    assert.ok(text);
    const { alice } = out.flow;
    const args = { actor: SYSTEM, accountId: alice, settings: JSON.stringify(settings), script: text };
    await out.flow.store.write.run('sieve.saveSettings', args);
    await receive();
    await out.idle();
    assert.deepEqual(await flags('Lists/"dev"'), [[4]]);
    assert.deepEqual(await box(), []);
    const to = peer.transactions.map((each) => each.to[0]).toSorted();
    assert.deepEqual(to, ['carol@sender.test', 'friend@far.test']);
    const reply = peer.transactions.find((each) => each.to[0] === 'carol@sender.test');
    assert.match(reply?.data.toString() ?? '', /Gone\.\r\n\.hidden "dot"\\\r\n$/);
    out.flow.clock.advance(40 * DAY);
    await receive();
    await out.idle();
    assert.equal(peer.transactions.length, 3, 'no longer away, still forwarded');
  });
});
