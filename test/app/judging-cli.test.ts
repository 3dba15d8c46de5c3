/** `postern vault`, `filter` and `check` as a tired administrator meets them: what works, and what is typed wrong. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ALICE, BAD_IP, BOB, caseOf, GOOD_IP, type Judged, letter, startJudged } from '../support/judged.ts';

const FORGED = { ip: BAD_IP, helo: 'stranger.test' };

let mx: Judged;
before(async () => {
  mx = await startJudged();
});
after(() => mx.close());
beforeEach(() => mx.want({}));

/** What a command that fails says: one line on standard error, nothing else. */
async function fails(status: 1 | 2, ...words: string[]): Promise<string> {
  const answer = await mx.cli(...words);
  assert.equal(answer.status, status, answer.err + answer.out);
  assert.equal(answer.out, '');
  assert.match(answer.err, /^postern: [^\n]+\n$/);
  return answer.err.slice('postern: '.length).trimEnd();
}

function narrow(text: string): void {
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, `over 80 columns: ${line}`);
}

describe('postern vault', () => {
  it('lists what is kept, shows one, and deletes it for good', async () => {
    assert.equal(await mx.said('vault', 'list'), 'Nothing is kept.\n');
    const message = letter({
      subject: `Hello \u001b[31m ${'x'.repeat(100)}`,
      more: 'X-Long: \u001b]0;title\u0007\r\n',
    });
    const number = caseOf(await mx.send({ ...FORGED, to: [ALICE, BOB], message }));
    const list = await mx.said('vault', 'list');
    narrow(list);
    assert.match(list, new RegExp(`^${number} {2}\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d {2}Hello`));
    assert.match(list, /^ {4}from Ann <ann@good\.test> for alice@example\.test, bob@example\.test$/m);
    assert.match(list, /^ {4}it says it is from good\.test, which could not be proven/m);

    const shown = await mx.said('vault', 'show', number);
    narrow(shown.slice(0, shown.indexOf('\n\n')));
    for (const active of ['\u001b', '\u0007'])
      assert.ok(!(list + shown).includes(active), 'nothing of a stranger reaches the terminal');
    assert.match(shown, /^Envelope +from ann@good\.test, by 192\.0\.2\.66$/m);
    assert.match(shown, new RegExp(`^To deliver it +postern vault release ${number}$`, 'm'));
    assert.match(shown, /^ {2}\| Dear Alice,$/m);

    assert.match(await mx.said('vault', 'release', number, '--account', BOB), /^Delivered to 1 mailbox\.$/m);
    assert.match(await mx.said('vault', 'list'), /for alice@example\.test, bob@example\.test \(released\)/);
    assert.equal((await mx.inbox(BOB)).length, 1);
    assert.equal((await mx.inbox(ALICE)).length, 0);
    assert.equal(await mx.said('vault', 'delete', number), 'It is gone.\n');
    assert.equal(await mx.said('vault', 'list'), 'Nothing is kept.\n');
    assert.match(
      await fails(1, 'vault', 'release', number),
      /^The vault has no such case .*its time may be over\.$/,
    );
    assert.match(await mx.said('audit'), /vault\.release/);
  });

  it('says in one line what is wrong', async () => {
    assert.match(await fails(1, 'vault', 'show', 'nonsense'), /no such case; "postern vault list" shows/);
    assert.match(await fails(2, 'vault', 'show'), /^CASE is missing/);
    assert.match(
      await fails(2, 'vault', 'list', '--limit', '0'),
      /^--limit takes a number from 1 to 1000, not "0"$/,
    );
    assert.match(
      await fails(1, 'vault', 'list', '--account', 'nobody@example.test'),
      /^There is no account nobody@/,
    );
  });

  it('keeps nothing where the site wants it so, and gives no number then', async () => {
    await mx.want({ vault: { days: 0 } });
    assert.match(await mx.send(FORGED), /^550 5\.7\.1 Refused: it says it is from good\.test/);
    assert.equal(await mx.said('vault', 'list'), 'Nothing is kept.\n');
    assert.match(await mx.trace('ann@good.test'), /It was not kept\./);
  });
});

describe('postern filter', () => {
  it('shows, sets and resets, at once', async () => {
    narrow(await mx.said('filter', 'show'));
    assert.match(
      await mx.said('filter', 'show', 'greylist'),
      /^\* greylist\.mode +off\n {2}greylist\.delay_s +120$/m,
    );
    assert.equal(
      await mx.said('filter', 'set', 'dmarc.enforce', 'false'),
      'dmarc.enforce is false from now on.\n',
    );
    await mx.said('filter', 'set', 'refuse', 'never');
    assert.match(await mx.send(FORGED), /^250 /);
    assert.equal(
      await mx.said('filter', 'set', 'dmarc.enforce', 'default'),
      'dmarc.enforce is true from now on.\n',
    );
    assert.match(await mx.send(FORGED), /^550 /);
    assert.match(await mx.said('filter', 'set', 'lists', '[{"zone": "zen.spamhaus.org"}]'), /^lists is \[/);
  });

  it('says in one line what a setting takes', async () => {
    const wrong: readonly (readonly [name: string, value: string, says: RegExp])[] = [
      ['good_per_junked', 'many', /^good_per_junked: it takes a number$/],
      ['good_per_junked', '5', /^good_per_junked: it takes 20 or more$/],
      ['good_per_junked', '2.5e9', /^good_per_junked: it takes 1000000 or less$/],
      ['enabled', 'no', /^enabled: it takes true or false$/],
      ['greylist.mode', 'sometimes', /^greylist\.mode: it takes one of off, suspicious, all$/],
      ['greylist', 'off', /^greylist: it is a group of settings; name one of them/],
      ['nothing', '1', /^there is no setting "nothing"; "postern filter show" lists all$/],
      ['greylist.nothing', '1', /^there is no setting "greylist\.nothing"/],
      ['__proto__.x', '1', /^there is no setting /],
      ['dmarc.ignore', 'example.net', /^dmarc\.ignore: it takes a list in JSON/],
      ['attachments.refuse', '["exe"]', /^attachments\.refuse\.0: it takes one of executable, script/],
      ['clamav.address', 'nonsense', /^clamav\.address: it takes an address such as 127\.0\.0\.1:3310/],
      ['rspamd.url', 'localhost', /^rspamd\.url: it takes a URL such as http:\/\//],
      ['milters', '[{"name":"x"}]', /^milters\.x\.address: it is missing$/],
      ['bans.exempt', '["example.net"]', /^bans\.exempt\.0: it takes networks such as 192\.0\.2\.0\/24/],
    ];
    for (const [name, value, says] of wrong) assert.match(await fails(1, 'filter', 'set', name, value), says);
    assert.match(await fails(2, 'filter', 'show', 'nothing'), /^no setting begins with "nothing"$/);
    assert.deepEqual(JSON.parse(await mx.said('filter', 'show', '--json')).changed, ['greylist.mode']);
  });

  it('keeps lists of senders, for the site and for accounts', async () => {
    assert.equal(await mx.said('filter', 'senders'), 'Nobody is listed.\n');
    assert.match(
      await mx.said('filter', 'allow', 'Partner.Example', '--note', 'invoices'),
      /^Mail from @partner\.example is always taken, where it is proven that it is from there\.$/m,
    );
    assert.match(
      await mx.said('filter', 'allow', '192.0.2.1'),
      /^Mail from 192\.0\.2\.1\/32 is always taken\.$/m,
    );
    assert.match(await mx.said('filter', 'block', 'x@shop.example'), /^Mail from x@shop\.example is refused/);
    assert.match(
      await mx.said('filter', 'block', '@shop.example', '--account', ALICE),
      /^Mail from @shop\.example goes to Junk for alice@example\.test from now on\.$/m,
    );
    const senders = await mx.said('filter', 'senders');
    assert.match(senders, /^@partner\.example +allow +\d{4}-\d\d-\d\d +invoices$/m);
    assert.doesNotMatch(senders, /@shop\.example +block +\S+\s+@/);
    assert.match(await mx.said('filter', 'senders', '--account', ALICE), /^@shop\.example +block/m);
    assert.match(
      await fails(1, 'filter', 'allow', 'not an address'),
      /^"not an address" is not a domain name\.$/,
    );
    assert.match(await fails(1, 'filter', 'allow', '192.0.2.0/33'), /is not a network of a sender list/);
    assert.match(
      await fails(1, 'filter', 'unlist', '@nowhere.test'),
      /^@nowhere\.test is not in the list of the site/,
    );
    for (const entry of ['@partner.example', '192.0.2.1', 'x@shop.example'])
      await mx.said('filter', 'unlist', entry);
    assert.equal(await mx.said('filter', 'senders'), 'Nobody is listed.\n');
  });

  it('a welcome domain without a DMARC policy is proven by SPF of that very domain, and by nothing less', async () => {
    mx.zone['small.test'] = { A: [GOOD_IP], TXT: [`v=spf1 ip4:${GOOD_IP} -all`] };
    await mx.want({ attachments: { junk: ['executable'] } });
    await mx.said('filter', 'allow', '@small.test');
    const more = 'MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name="a.exe"\r\n';
    const message = letter({ from: 'ann@small.test', more, body: 'x\r\n' });
    assert.match(await mx.send({ from: 'ann@small.test', message }), /^250 /);
    assert.match((await mx.inbox()).at(-1) ?? '', /by=ALLOWED/);
    const junk = (await mx.junk()).length;
    assert.match(await mx.send({ from: 'ann@good.test', message }), /^250 /);
    assert.equal((await mx.junk()).length, junk + 1);
  });
});

describe('postern check', () => {
  it('works without a server of ours, and asks the resolver it is told', async () => {
    const resolver = `${mx.dns.address}:${mx.dns.port}`;
    const directory = await mkdtemp(join(tmpdir(), 'postern-check-'));
    try {
      const sender = ['--helo', 'mail.good.test', '--from', '<ann@good.test>', '--dns', resolver];
      assert.match(
        await mx.said('check', 'spf', '--ip', GOOD_IP, ...sender),
        /^pass: the domain lets this address/,
      );
      assert.match(
        await mx.said('check', 'spf', '--ip', BAD_IP, ...sender),
        /^fail: the domain says that this/,
      );
      const file = join(directory, 'letter.eml');
      await writeFile(file, letter().replaceAll('\r\n', '\n'));
      const good = await mx.said('check', 'message', file, '--ip', GOOD_IP, ...sender);
      narrow(good);
      assert.match(good, /Author \(DMARC\): pass/);
      assert.match(good, /Verdict: It would go to the inbox\./);
      const forged = await mx.said('check', 'message', file, '--ip', BAD_IP, ...sender);
      assert.match(forged, /Verdict: It would be refused\.[^]*decided by: it says it is from good\.test/);
      const value = JSON.parse(await mx.said('check', 'message', file, '--ip', BAD_IP, ...sender, '--json'));
      assert.equal(value.verdict.action, 'refuse');
      assert.equal(value.spf.result, 'fail');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('says in one line what is wrong', async () => {
    assert.match(await fails(2, 'check', 'spf'), /^--ip is missing: the address of the host that sends$/);
    assert.match(await fails(2, 'check', 'spf', '--ip', '1.2.3'), /^--ip: "1\.2\.3" is no IP address$/);
    assert.match(await fails(2, 'check', 'spf', '--ip', GOOD_IP), /^name the sender with --from ADDRESS/);
    const nowhere = ['--from', 'x@y.test', '--dns', 'nonsense'];
    assert.match(
      await fails(2, 'check', 'spf', '--ip', GOOD_IP, ...nowhere),
      /^--dns takes an address such as/,
    );
    assert.match(
      await fails(1, 'check', 'message', '/nonexistent'),
      /^\/nonexistent cannot be read: there is no such file or folder$/,
    );
    assert.match(await fails(2, 'check', 'message'), /^FILE is missing/);
  });

  it('every help fits a terminal', async () => {
    for (const words of [
      ['vault', 'list'],
      ['vault', 'show'],
      ['vault', 'release'],
      ['vault', 'delete'],
      ['filter', 'show'],
      ['filter', 'set'],
      ['filter', 'allow'],
      ['filter', 'block'],
      ['filter', 'unlist'],
      ['filter', 'senders'],
      ['check', 'spf'],
      ['check', 'message'],
      ['spam', 'score'],
      ['spam', 'train'],
      ['spam', 'eval'],
    ]) {
      narrow((await mx.said(...words, '--help')).replace(/^Example: .*$/m, ''));
    }
  });
});
