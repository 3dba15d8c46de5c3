/** Who sent it, and who wants it, as a whole server judges: DMARC, ARC, results of others, lists of senders. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { sealedBy, ZONE as SEALERS } from '../../src/flow/inbound/fixtures/authentication.ts';
import { ALICE, BAD_IP, BOB, caseOf, GOOD_IP, type Judged, letter, startJudged } from '../support/judged.ts';
import { TEST_PASSWORD, testActor } from '../support/server.ts';

/** What a stranger sends in the name of a domain that wants such mail refused. */
const FORGED = { ip: BAD_IP, helo: 'stranger.test', from: 'ann@good.test' };

let mx: Judged;
before(async () => {
  mx = await startJudged({
    accounts: [{ address: ALICE, role: 'admin' }, BOB, 'carol@example.test', 'dave@example.test'],
    zone: { ...SEALERS, 'sender.test': { A: [GOOD_IP] } },
  });
});
after(() => mx.close());
beforeEach(() => mx.want({}));

/** Headers of the newest message of a mailbox. */
async function newest(box: 'inbox' | 'junk', user = ALICE): Promise<string> {
  const text = (await mx[box](user)).at(-1) ?? assert.fail(`nothing in the ${box} of ${user}`);
  return text.slice(0, text.indexOf('\r\n\r\n') + 2);
}

function block(pattern: string, action: 'block' | 'allow', account: string | null): Promise<unknown> {
  return mx.server.store.write.run('spam.listAdd', { actor: testActor, account, pattern, action });
}

function unlist(pattern: string, account: string | null = null): Promise<unknown> {
  return mx.server.store.write.run('spam.listRemove', { actor: testActor, account, pattern });
}

describe('the wish of the domain in From', () => {
  it('reject: 550 with a case number; the vault has it, a release delivers it once and has it learned', async () => {
    const before = (await mx.inbox()).length;
    const message = letter({ subject: 'A letter from home' });
    const reply = await mx.send({ ...FORGED, message });
    assert.match(reply, /^550 5\.7\.1 Refused \(case \S+\): it says it is from good\.test, which could not/);
    const number = caseOf(reply);
    assert.equal((await mx.inbox()).length + (await mx.junk()).length, before, 'nobody has got it');

    assert.match(await mx.said('vault', 'list'), new RegExp(`^${number} .*A letter from home$`, 'm'));
    const shown = await mx.said('vault', 'show', number.toLowerCase().replace('-', ''));
    assert.match(shown, /^Why +it says it is from good\.test, which could not be/m);
    assert.match(shown, /\| Subject: A letter from home/);
    const bob = await mx.cli('vault', 'release', number, '--account', BOB);
    assert.equal(bob.status, 1, 'it was not for him');

    assert.match(await mx.said('vault', 'release', number), /^Delivered to 1 mailbox\.$/m);
    const again = await mx.cli('vault', 'release', number);
    assert.equal(again.status, 1);
    assert.match(again.err, /was released already: it is in the inbox/);
    const texts = await mx.inbox();
    assert.equal(texts.length, before + 1);
    assert.ok(texts.at(-1)?.endsWith(message), 'the octets are those that came');
    assert.match(
      await newest('inbox'),
      /^Return-Path: <ann@good\.test>\r\nDelivered-To: alice@example\.test/,
    );
    assert.match(await newest('inbox'), /Authentication-Results: mx\.example\.test;\r\n\tdmarc=fail/);
    const wishes = await mx.server.store.read.run('spam.pendingTraining', { limit: 50 });
    assert.deepEqual(
      wishes.map(({ label }) => label),
      ['ham'],
      'the filter learns that it was good',
    );
  });

  it('the account looks, has it delivered and deletes by itself, in a browser or a program; nobody else does', async () => {
    const first = caseOf(await mx.send({ ...FORGED, message: letter({ subject: '<b>Bold</b> letter' }) }));
    const second = caseOf(await mx.send({ ...FORGED, message: letter({ subject: 'Another letter' }) }));
    const port = mx.server.ports.http ?? 0;
    const at = async (path: string, init: RequestInit = {}, user = ALICE, password = TEST_PASSWORD) => {
      const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      const headers = { authorization, accept: 'text/html', ...(init.headers as Record<string, string>) };
      const url = `http://127.0.0.1:${port}/account/refused${path}`;
      const response = await fetch(url, { redirect: 'manual', ...init, headers });
      return { status: response.status, text: await response.text(), headers: response.headers };
    };
    const asJson = { headers: { accept: 'application/json' } };

    const page = await at('');
    assert.equal(page.status, 200);
    assert.match(page.text, /&lt;b&gt;Bold&lt;\/b&gt; letter/);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*form-action 'self'/);
    assert.match(
      (await at(`/${first}`)).text,
      /Why it was not delivered<\/th><td>it says it is from good\.test/,
    );

    assert.equal((await at('', {}, ALICE, 'guess')).status, 401);
    assert.equal((await at(`/${first}`, asJson, BOB)).status, 404, 'it was not for him');
    assert.equal((await at(`/${first}/release`, { method: 'POST', ...asJson }, BOB)).status, 404);
    const foreign = { method: 'POST', headers: { origin: 'https://evil.example' } };
    assert.equal((await at(`/${first}/release`, foreign)).status, 403, 'no other site may have it released');

    const before = (await mx.inbox()).length;
    assert.equal((await at(`/${first}/release`, { method: 'POST' })).status, 303);
    assert.equal((await mx.inbox()).length, before + 1);
    const again = await at(`/${first}/release`, { method: 'POST', ...asJson });
    assert.deepEqual([again.status, /released already/.test(again.text)], [409, true]);
    assert.equal((await at(`/${second}/delete`, { method: 'POST', ...asJson })).status, 200);
    const left = JSON.parse((await at('', asJson)).text) as {
      entries: { caseNumber: string; recipients: { state: string }[] }[];
    };
    const kept = left.entries.filter(({ recipients }) => recipients[0]?.state === 'kept');
    assert.ok(kept.every(({ caseNumber }) => caseNumber !== first && caseNumber !== second));
  });

  it('the case number finds all that is known, in whatever way it is typed', async () => {
    const number = caseOf(await mx.send(FORGED));
    for (const typed of [
      number,
      number.toLowerCase(),
      number.replace('-', ''),
      ` ${number.replace('-', ' ')} `,
    ])
      assert.match(await mx.trace(typed), /We judged it: it is refused[^]*We answered: 550 5\.7\.1/);
    assert.match(await mx.trace('00000-00000'), /^Nothing is known/);
  });

  it('quarantine: Junk, with what mail programs and filters look for', async () => {
    assert.match(await mx.send({ ...FORGED, from: 'ann@set-aside.test' }), /^250 /);
    const header = await newest('junk');
    assert.match(header, /^X-Spam-Flag: YES\r$/m);
    assert.match(header, /^X-Spam-Status: Yes, score=/m);
    assert.match(header, /^X-Postern-Verdict: junk; probability=0\.\d+; by=DMARC_POLICY;/m);
    assert.match(
      header,
      /^Authentication-Results: mx\.example\.test;\r\n\tdmarc=fail\r\n\treason=[^]*policy\.dmarc=quarantine header\.from=set-aside\.test/m,
    );
  });

  it('pass: the inbox, and no flag', async () => {
    assert.match(await mx.send(), /^250 /);
    const header = await newest('inbox');
    assert.match(header, /\tdmarc=pass policy\.dmarc=reject header\.from=good\.test/);
    assert.match(header, /^X-Spam-Status: No, /m);
    assert.doesNotMatch(header, /X-Spam-Flag/);
  });

  it('a domain whose DNS does not answer whether it is forged: come again', async () => {
    mx.zone['slow.test'] = { A: [GOOD_IP], fault: { kind: 'servfail' } };
    mx.zone['_dmarc.slow.test'] = { TXT: ['v=DMARC1; p=reject'] };
    const reply = await mx.send({ from: 'ann@slow.test' });
    assert.match(reply, /^451 4\.4\.3 DNS did not answer whether slow\.test has sent this/);
    assert.match(await mx.trace('ann@slow.test'), /-> The sender comes back by itself\./);
    delete mx.zone['slow.test'].fault;
    mx.zone['slow.test'].TXT = [`v=spf1 ip4:${GOOD_IP} -all`];
  });

  it('where that domain wants nothing, or nobody knows what it wants, the mail flows', async () => {
    mx.zone['calm.test'] = { fault: { kind: 'servfail' } };
    mx.zone['_dmarc.calm.test'] = { TXT: ['v=DMARC1; p=none'] };
    assert.match(await mx.send({ from: 'ann@calm.test' }), /^250 /);
    mx.zone['mute.test'] = { fault: { kind: 'servfail' } };
    mx.zone['_dmarc.mute.test'] = { fault: { kind: 'servfail' } };
    assert.match(await mx.send({ from: 'ann@mute.test' }), /^250 /);
    assert.match(
      (await mx.trace('ann@mute.test')).replace(/\s+/g, ' '),
      /Author \(DMARC\) temperror; the policy of/,
    );
  });

  it('is overruled by a known forwarder that saw it proven, and by nobody else', async () => {
    const text = letter({ from: 'ann@bank.example', body: 'changed by the list\r\n' });
    const results = 'mx.list.example; dmarc=pass header.from=bank.example';
    const message = await sealedBy(Buffer.from(text), results);
    const forwarded = { ip: '192.0.2.7', helo: 'list.example', from: 'list@list.example', message };
    assert.match(await mx.send(forwarded), /^550 5\.7\.1 .*bank\.example wants such mail refused/);
    await mx.want({ dmarc: { forwarders: ['list.example'] }, good_per_junked: 1_000_000 });
    assert.match(await mx.send(forwarded), /^250 /);
    assert.match(await newest('inbox'), /arc=pass/);
    assert.match(
      (await mx.trace('ann@bank.example')).replace(/\s+/g, ' '),
      /list\.example, a forwarder this site knows, saw dmarc=pass/,
    );
    const broken = Buffer.from(message.toString('latin1').replace('changed by', 'forged by'), 'latin1');
    assert.match(await mx.send({ ...forwarded, message: broken }), /^550 /);
  });

  it('is not followed where the site says so', async () => {
    await mx.want({ dmarc: { ignore: ['good.test'] }, refuse: 'never' });
    assert.match(await mx.send(FORGED), /^250 /);
    await mx.want({ dmarc: { enforce: false }, refuse: 'never' });
    assert.match(await mx.send(FORGED), /^250 /);
  });
});

describe('who speaks in our name', () => {
  it('a program beside us in the name of our own domain is delivered, of another one is not', async () => {
    mx.zone['_dmarc.example.test'] = { TXT: ['v=DMARC1; p=reject'] };
    mx.zone['example.test'] = { TXT: ['v=spf1 -all'], A: ['198.51.100.25'] };
    const cron = { ip: '127.0.0.1', helo: 'localhost', from: 'root@example.test' };
    assert.match(await mx.send({ ...cron, message: letter({ from: 'root@example.test' }) }), /^250 /);
    assert.match(await newest('inbox'), /^From: Ann <root@example\.test>/m);
    const foreign = await mx.send({ ...cron, message: letter({ from: 'ann@good.test' }) });
    assert.match(foreign, /^550 5\.7\.1 .*good\.test wants such mail refused/);
    const outside = { ...cron, ip: BAD_IP, helo: 'stranger.test' };
    assert.match(
      await mx.send({ ...outside, message: letter({ from: 'root@example.test' }) }),
      /^550 5\.7\.1 /,
    );
  });

  it("results with our name, X-Spam and X-Postern fields of others are hidden; others' results stay", async () => {
    const more =
      'Authentication-Results: mx.example.test; dmarc=pass header.from=forged.test\r\n' +
      'Authentication-Results: (a comment) "MX.example.test" 1; spf=pass\r\n' +
      'Authentication-Results: mx.elsewhere.test; dkim=pass header.d=elsewhere.test\r\n' +
      'X-Spam-Status: No, score=-99\r\nX-Spam-Flag: NO\r\nX-Postern-Verdict: inbox; probability=0.00000\r\n';
    assert.match(await mx.send({ message: letter({ more }) }), /^250 /);
    const header = await newest('inbox');
    assert.equal(header.match(/^Authentication-Results: mx\.example\.test/gim)?.length, 1);
    assert.equal(header.match(/^Authentication-Results:/gim)?.length, 2);
    assert.match(header, /^Authentication-Results: mx\.elsewhere\.test; dkim=pass/m);
    assert.doesNotMatch(header, /forged\.test|-99|X-Spam-Flag|a comment/);
    assert.equal(header.match(/^X-Postern-Verdict:/gm)?.length, 1);
    assert.equal(header.match(/^X-Spam-Status:/gm)?.length, 1);
  });

  it('two From fields: nobody is proven, and the strictest reading holds', async () => {
    // The attacker's own domain passes in all respects; the bank's, which wants refusal, stands in the other field.
    const own = 'From: <x@good.test>\r\n';
    for (const fields of [`From: <admin@bank.example>\r\n${own}`, `${own}From: <admin@bank.example>\r\n`]) {
      const message = `${fields}To: <${ALICE}>\r\nSubject: Invoice\r\nMessage-ID: <two-${fields.length}@good.test>\r\n\r\nPlease pay.\r\n`;
      const reply = await mx.send({ from: 'x@good.test', message });
      if (reply.startsWith('250')) {
        const header = await newest('junk');
        assert.doesNotMatch(header, /dmarc=pass/);
      } else assert.match(reply, /^550 5\.7\.1 .*bank\.example|^451 4\.7\.1 /);
    }
    await block('@bank.example', 'allow', null);
    const spoofed = `From: <x@good.test>\r\nFrom: <admin@bank.example>\r\nTo: <${ALICE}>\r\nSubject: Invoice\r\n\r\nPlease pay.\r\n`;
    const inbox = (await mx.inbox()).length;
    await mx.send({ from: 'x@good.test', message: spoofed });
    assert.equal((await mx.inbox()).length, inbox, 'a list lets nobody in who may be somebody else');
    await unlist('@bank.example');
  });
});

describe('lists of senders', () => {
  const DAVE = 'dave@example.test';

  it('several recipients of whom one blocks the sender: Junk there, the inbox elsewhere', async () => {
    await block('ann@good.test', 'block', BOB);
    const to = [ALICE, BOB];
    const [alices, bobs] = [(await mx.inbox(ALICE)).length, (await mx.inbox(BOB)).length];
    assert.match(await mx.send({ to }), /^250 /);
    assert.equal((await mx.inbox(ALICE)).length, alices + 1);
    assert.equal((await mx.inbox(BOB)).length, bobs);
    assert.match(await newest('junk', BOB), /^X-Spam-Flag: YES\r$[^]*/m);
    assert.match(await newest('junk', BOB), /by=BLOCKED/);
    assert.doesNotMatch(
      await newest('inbox', ALICE),
      /X-Spam-Flag|BLOCKED/,
      'whom Bob blocks is his business',
    );
    await unlist('ann@good.test', BOB);
  });

  it("the site's list refuses for all of them, and says so", async () => {
    await block('@good.test', 'block', null);
    const reply = await mx.send({ to: [ALICE, BOB] });
    assert.match(reply, /^550 5\.7\.1 Refused \(case \S+\): @good\.test is blocked on the site's list$/);
    const trace = await mx.trace(caseOf(reply));
    assert.match(trace, /We judged it: it is refused/);
    assert.match(trace, /Decided by +@good\.test is blocked on the site's list/);
    assert.match(trace, /postern filter unlist @good\.test/);
    await block('ann@good.test', 'allow', DAVE);
    const daves = (await mx.inbox(DAVE)).length;
    const bobs = (await mx.junk(BOB)).length;
    assert.match(await mx.send({ to: [DAVE, BOB] }), /^250 /, 'one of them wants it');
    assert.equal((await mx.inbox(DAVE)).length, daves + 1);
    assert.equal((await mx.junk(BOB)).length, bobs + 1);
    await unlist('ann@good.test', DAVE);
    await unlist('@good.test');
  });

  it("the site's list also holds for mail that only passes through", async () => {
    const { write } = mx.server.store;
    await write.run('directory.addAlias', {
      actor: testActor,
      address: 'away@example.test',
      targets: ['someone@elsewhere.test'],
    });
    await block('@good.test', 'block', null);
    const queued = async (): Promise<number> =>
      (await mx.server.store.read.run('queue.list', { limit: 100, after: 0 })).length;
    const waiting = await queued();
    assert.match(
      await mx.send({ to: ['away@example.test'] }),
      /^550 5\.7\.1 Refused: @good\.test is blocked/,
    );
    assert.equal(await queued(), waiting);
    await unlist('@good.test');
  });

  it('a welcome sender is let through with proof; without it only the DMARC policy stands', async () => {
    await mx.want({ attachments: { junk: ['script'] } });
    const more =
      'MIME-Version: 1.0\r\nContent-Type: application/javascript; name="x.js"\r\nContent-Disposition: attachment; filename="x.js"\r\n';
    const message = letter({ more, body: 'alert(1)\r\n' });
    assert.match(await mx.send({ message }), /^250 /);
    assert.match(await newest('junk'), /by=ATTACHMENT_POLICY/);
    await block('@good.test', 'allow', null);
    assert.match(await mx.send({ message }), /^250 /);
    assert.match(await newest('inbox'), /by=ALLOWED/);
    assert.match(await mx.send({ ...FORGED, message }), /^550 5\.7\.1 .*wants such mail refused/);
    await unlist('@good.test');
  });

  it('a network needs no proof', async () => {
    await block('192.0.2.64/26', 'allow', null);
    assert.match(await mx.send(FORGED), /^250 /);
    assert.match(await newest('inbox'), /by=ALLOWED/);
    await unlist('192.0.2.64/26');
  });
});
