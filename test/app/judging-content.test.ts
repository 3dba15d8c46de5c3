/** What a message carries, and what filters beside us say of it, as a whole server judges. */
import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { packet, text, uint32 } from '../../src/net/milter/wire.ts';
import { BAD_IP, caseOf, type Judged, letter, LISTED, startJudged } from '../support/judged.ts';
import { testActor } from '../support/server.ts';

/** Threads of this process, as they start. */
const threads: Worker[] = [];
process.on('worker', (worker: Worker) => threads.push(worker));

let mx: Judged;
before(async () => {
  mx = await startJudged();
});
after(() => mx.close());
beforeEach(() => mx.want({}));

const SPAMMER = { ip: BAD_IP, helo: 'stranger.test', from: 'x@stranger.test' };

function attached(name: string, body = 'TVqQAAMAAAAEAAAA'): string {
  const more = `MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name="${name}"\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n`;
  return letter({ more, body: `${body}\r\n` });
}

describe('content', () => {
  it('beyond doubt is refused with a case number; where the site refuses nothing it is Junk', async () => {
    await mx.want({ lists: [LISTED] });
    const reply = await mx.send(SPAMMER);
    assert.match(
      reply,
      /^550 5\.7\.1 Refused as unwanted mail \(case \S+\)\. If it is not, tell the recipient/,
    );
    const trace = (await mx.trace(caseOf(reply))).replace(/\s+/g, ' ');
    assert.match(trace, /We judged it: it is refused, as spam beyond doubt/);
    assert.match(
      trace,
      /What would change it it would be \w+ if the sender were taken off the list bl\.test/,
    );
    assert.match(trace, /\+20\.0 The sending host: 192\.0\.2\.66 sends nothing but spam \(LIST_BL_TEST\)/);
    await mx.want({ lists: [LISTED], refuse: 'never' });
    assert.match(await mx.send(SPAMMER), /^250 /);
    assert.match((await mx.junk()).at(-1) ?? '', /^X-Spam-Flag: YES\r$/m);
    assert.match(await mx.send(), /^250 /, 'others are not touched');
  });

  it('of kinds that the site does not take is refused, or goes to Junk', async () => {
    await mx.want({ attachments: { refuse: ['executable'], junk: ['shortcut'] }, refuse: 'never' });
    const reply = await mx.send({ message: attached('tool.exe') });
    assert.match(
      reply,
      /^550 5\.7\.1 Refused \(case \S+\): this site does not take programs as attachments: tool\.exe$/,
    );
    const junk = (await mx.junk()).length;
    assert.match(await mx.send({ message: attached('page.lnk', 'aGVsbG8=') }), /^250 /);
    assert.equal((await mx.junk()).length, junk + 1);
    const hostile = await mx.send({ message: attached('a\\"\u001b[31m.exe') });
    assert.match(hostile, /^550 5\.7\.1 Refused \(case \S+\): [\x20-\x7e]*\.exe$/, 'one line, no escapes');
  });

  it('is not judged while the filter is off: everything goes to the inbox, senders are still authenticated', async () => {
    await mx.want({ enabled: false, lists: [{ ...LISTED, refuse: true }], unknown_sender_domain: 'refuse' });
    const before = (await mx.inbox()).length;
    assert.match(await mx.send({ ...SPAMMER, from: 'x@gone.test' }), /^250 /);
    const found = await mx.inbox();
    assert.equal(found.length, before + 1);
    const header = found.at(-1) ?? '';
    assert.match(header, /^Authentication-Results: mx\.example\.test;/m);
    assert.doesNotMatch(header, /^X-(?:Spam|Postern)/m);
    assert.match(await mx.trace('x@gone.test'), /^ {4}Sender's server \(SPF\) {2}none; /m);
  });

  it('over LMTP nothing is refused: it would bounce to whoever was forged', async () => {
    await mx.want({ attachments: { refuse: ['executable'] } });
    await mx.server.store.write.run('spam.listAdd', {
      actor: testActor,
      account: null,
      pattern: '@good.test',
      action: 'block',
    });
    const junk = (await mx.junk()).length;
    const message = attached('tool.exe');
    const answers = await mx.send({ lmtp: true, to: ['alice@example.test', 'bob@example.test'], message });
    assert.match(answers, /^250 [^\n]*\n250 /);
    assert.equal((await mx.junk()).length, junk + 1);
    await mx.server.store.write.run('spam.listRemove', {
      actor: testActor,
      account: null,
      pattern: '@good.test',
    });
  });

  it('is delivered unjudged when the thread that judges it dies; the next message has a new thread', async () => {
    assert.match(await mx.send(), /^250 /);
    const judging = (): Worker | undefined => threads.findLast(({ threadName }) => threadName === 'filter');
    const worker = judging() ?? assert.fail('no thread judges');
    const post = worker.postMessage.bind(worker);
    // It dies with the message in its hands.
    worker.postMessage = (value: { call?: { kind?: string } }): void =>
      post(value.call?.kind === 'judge' ? null : value);
    const before = (await mx.inbox()).length;
    assert.match(await mx.send(), /^250 /);
    assert.equal((await mx.inbox()).length, before + 1);
    const trace = await mx.trace('ann@good.test');
    assert.match(trace, /The content could not be judged/);
    assert.ok(mx.server.logs.some(({ msg }) => msg === 'filter: its thread failed'));
    assert.match(await mx.send(), /^250 /);
    assert.match((await mx.inbox()).at(-1) ?? '', /^X-Postern-Verdict: inbox; .*\r\n\treasons=.+/m);
    assert.notEqual(judging(), worker);
  });
});

interface Peer extends AsyncDisposable {
  readonly place: string;
}

/** A program beside us that gets what we send so far and says something, or nothing, or ends. */
async function peer(serve: (socket: Socket, got: Buffer) => Buffer): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    let got: Buffer = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      got = serve(socket, Buffer.concat([got, chunk]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    place: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A clamd that finds a virus in what has "evil" in it. */
function clamd(): Promise<Peer> {
  return peer((socket, got) => {
    if (got.subarray(-4).equals(Buffer.alloc(4)))
      socket.end(got.includes('evil') ? 'stream: Test-Virus FOUND\0' : 'stream: OK\0');
    return got;
  });
}

/** A milter that sees nothing but the end, adds a field there and has the given last word. */
function milter(last: string, ...data: Buffer[]): Promise<Peer> {
  const everythingOff = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x20 | 0x40 | 0x200;
  return peer((socket, got) => {
    let rest = got;
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const command = rest.toString('latin1', 4, 5);
      rest = rest.subarray(4 + rest.readUInt32BE(0));
      if (command === 'O') socket.write(packet('O', uint32(6), uint32(1), uint32(everythingOff)));
      if (command !== 'E') continue;
      socket.write(packet('h', text('X-Checked-By'), text('a milter')));
      socket.write(packet('h', text('X-Postern-Verdict'), text('inbox; forged')));
      socket.write(packet(last, ...data));
    }
    return rest;
  });
}

describe('filters beside us', () => {
  it('clamd: what it finds is refused, or Junk; what is clean passes', async () => {
    await using scanner = await clamd();
    await mx.want({ clamav: { address: scanner.place } });
    assert.match(await mx.send(), /^250 /);
    const infected = { message: letter({ body: 'something evil\r\n' }) };
    assert.match(
      await mx.send(infected),
      /^550 5\.7\.1 Refused \(case \S+\): the virus scanner found Test-Virus$/,
    );
    await mx.want({ clamav: { address: scanner.place, infected: 'junk' } });
    assert.match(await mx.send(infected), /^250 /);
    assert.match((await mx.junk()).at(-1) ?? '', /by=VIRUS/);
    await mx.server.store.write.run('spam.listAdd', {
      actor: testActor,
      account: null,
      pattern: '@good.test',
      action: 'allow',
    });
    await mx.want({ clamav: { address: scanner.place } });
    assert.match(await mx.send(infected), /^550 /, 'a virus is one whoever sends it');
    await mx.server.store.write.run('spam.listRemove', {
      actor: testActor,
      account: null,
      pattern: '@good.test',
    });
  });

  it('a dead one is left out, or makes the sender come again, as the site says; metric and log tell', async () => {
    const address = await clamd().then(async (dead) => {
      await dead[Symbol.asyncDispose]();
      return dead.place;
    });
    await mx.want({ clamav: { address } });
    assert.match(await mx.send(), /^250 /);
    assert.match(await mx.server.metrics.text(), /postern_filter_partner_up\{partner="clamav"\} 0/);
    assert.ok(mx.server.logs.some(({ msg }) => msg === 'filter: a partner is down'));
    await mx.want({ clamav: { address, failure: 'defer' } });
    const before = (await mx.inbox()).length;
    assert.match(await mx.send(), /^451 4\.3\.0 The mail filter clamav cannot be asked now; try again later/);
    assert.equal((await mx.inbox()).length, before);
  });

  it('a milter adds a field, but none of ours', async () => {
    await using beside = await milter('c');
    await mx.want({ milters: [{ name: 'beside', address: beside.place }] });
    const message = letter({ subject: 'As it came' });
    assert.match(await mx.send({ message }), /^250 /);
    const shown = (await mx.inbox()).at(-1) ?? '';
    assert.match(shown, /^X-Checked-By: a milter\r$/m);
    assert.doesNotMatch(shown, /forged/);
    assert.ok(shown.endsWith(message));
  });

  it('a milter refuses in its own words, or has the sender come again', async () => {
    await using refusing = await milter('y', text('550 5.7.1 not on a Sunday'));
    await mx.want({ milters: [{ name: 'sabbath', address: refusing.place }] });
    assert.match(
      await mx.send(),
      /^550 5\.7\.1 Refused \(case \S+\): sabbath: it refuses: .*not on a Sunday$/,
    );
    await using deferring = await milter('y', text('451 4.7.1 after lunch'));
    await mx.want({ milters: [{ name: 'lunch', address: deferring.place }] });
    assert.equal(await mx.send(), '451 4.7.1 after lunch');
  });
});
