import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { systemClock } from '../../base/clock.ts';
import { askMilter, type MilterMessage } from '../milter/client.ts';
import { packet, text, uint32 } from '../milter/wire.ts';
import { askClamd } from './clamd.ts';
import { PartnerFailed, partnerPlace } from './dial.ts';
import { askRspamd } from './rspamd.ts';

const BODY = `${'word '.repeat(40_000)}\r\n`;
const FIELDS = [
  { name: 'From', value: ' a@example.org' },
  { name: 'Subject', value: ' one\r\n two' },
];
const HEAD = `${FIELDS.map(({ name, value }) => `${name}:${value}`).join('\r\n')}\r\n\r\n`;
const MESSAGE: MilterMessage = {
  size: HEAD.length + BODY.length,
  async *read() {
    yield Buffer.from(HEAD);
    yield Buffer.from(BODY);
  },
  async *readBody() {
    yield Buffer.from(BODY);
  },
  fields: FIELDS,
  ip: '192.0.2.1',
  port: 4711,
  helo: 'mx.example.org',
  clientName: '',
  reversePath: 'a@example.org',
  recipients: ['b@example.net', 'c@example.net'],
  hostname: 'mx.example.net',
  trace: 'trace-1',
};

interface Peer extends AsyncDisposable {
  readonly place: string;
}

async function peer(server: Server): Promise<Peer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    place: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A clamd that takes a stream apart and answers. */
function clamd(answer: (received: Buffer) => string | undefined): Promise<Peer> {
  return peer(
    createServer((socket) => {
      let got: Buffer = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk]);
        const octets = streamOf(got);
        if (octets === undefined) return;
        const said = answer(octets);
        if (said === undefined) socket.destroy();
        else socket.end(said);
      });
    }),
  );
}

/** The octets of a whole INSTREAM command; undefined while it lasts. */
function streamOf(got: Buffer): Buffer | undefined {
  const command = Buffer.from('zINSTREAM\0');
  assert.deepEqual(got.subarray(0, command.length), command.subarray(0, got.length));
  const pieces: Buffer[] = [];
  for (let at = command.length; at + 4 <= got.length; ) {
    const length = got.readUInt32BE(at);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(got.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}

describe('clamd', () => {
  it('gets every octet and says clean or what it found', async () => {
    let seen = '';
    await using clean = await clamd((octets) => {
      seen = octets.toString('latin1');
      return 'stream: OK\0';
    });
    assert.deepEqual(await askClamd(clean.place, MESSAGE, systemClock), { status: 'clean' });
    assert.equal(seen, HEAD + BODY);
    await using bad = await clamd(() => 'stream: Win.Test.\u001bEvil FOUND\0');
    assert.deepEqual(await askClamd(bad.place, MESSAGE, systemClock), {
      status: 'infected',
      name: 'Win.Test.?Evil',
    });
  });

  it('that breaks off, errs or is not there is a failed partner, never a clean message', async () => {
    await using small = await clamd(() => 'INSTREAM size limit exceeded. ERROR\0');
    assert.deepEqual(await askClamd(small.place, MESSAGE, systemClock), { status: 'too-large' });
    for (const said of [undefined, 'stream: OK but', '']) {
      await using broken = await clamd(() => said);
      await assert.rejects(askClamd(broken.place, MESSAGE, systemClock), PartnerFailed);
    }
    await assert.rejects(askClamd('127.0.0.1:1', MESSAGE, systemClock), /127\.0\.0\.1:1 cannot be reached/);
    await assert.rejects(askClamd('nowhere', MESSAGE, systemClock), /"nowhere" is no address/);
  });

  it('is found by address, name or Unix socket', () => {
    assert.deepEqual(partnerPlace('[::1]:3310'), { host: '::1', port: 3310 });
    assert.deepEqual(partnerPlace('clam.example:3310'), { host: 'clam.example', port: 3310 });
    assert.deepEqual(partnerPlace('unix:/run/clamd.ctl'), { path: '/run/clamd.ctl' });
    for (const bad of ['', '3310', 'a:0', 'a:70000', '::1:3310', 'unix:relative'])
      assert.equal(partnerPlace(bad), undefined, bad);
  });
});

/** An HTTP server that stands for rspamd. */
function rspamd(
  status: number,
  answer: string,
  see?: (fields: Record<string, unknown>, octets: string) => void,
): Promise<Peer> {
  return peer(
    createHttpServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        see?.({ ...request.headers, url: request.url }, Buffer.concat(pieces).toString('latin1'));
        response.writeHead(status).end(answer);
      });
    }) as unknown as Server,
  );
}

describe('rspamd', () => {
  const answer = JSON.stringify({
    score: 7.5,
    action: 'add header',
    symbols: { A: { score: 1 }, ZERO: { score: 0 }, B: { score: 6.5, description: 'b' } },
  });

  it('gets the message with its envelope and gives score, action and its strongest symbols', async () => {
    let fields: Record<string, unknown> = {};
    let octets = '';
    await using server = await rspamd(200, answer, (given, body) => {
      [fields, octets] = [given, body];
    });
    assert.deepEqual(await askRspamd(`http://${server.place}`, MESSAGE, systemClock), {
      score: 7.5,
      action: 'add header',
      symbols: [
        { name: 'B', score: 6.5 },
        { name: 'A', score: 1 },
      ],
    });
    assert.equal(octets, HEAD + BODY);
    const { url, ip, helo, from, rcpt } = fields;
    assert.deepEqual(
      { url, ip, helo, from, rcpt },
      {
        url: '/checkv2',
        ip: '192.0.2.1',
        helo: 'mx.example.org',
        from: 'a@example.org',
        rcpt: 'b@example.net, c@example.net',
      },
    );
  });

  it('that errs, speaks nonsense or is not there is a failed partner', async () => {
    await using sick = await rspamd(500, '{}');
    await assert.rejects(askRspamd(`http://${sick.place}`, MESSAGE, systemClock), /answered 500/);
    await using odd = await rspamd(200, '{"score":"high"}');
    await assert.rejects(askRspamd(`http://${odd.place}`, MESSAGE, systemClock), /not what rspamd says/);
    await using endless = await rspamd(200, ' '.repeat(1024 * 1024 + 1));
    await assert.rejects(askRspamd(`http://${endless.place}`, MESSAGE, systemClock), /too long/);
    await assert.rejects(askRspamd('http://127.0.0.1:1', MESSAGE, systemClock), PartnerFailed);
  });

  it('is told of no header field that an address smuggles', async () => {
    let fields: Record<string, unknown> = {};
    await using server = await rspamd(200, answer, (given) => {
      fields = given;
    });
    const odd = { ...MESSAGE, reversePath: 'a\r\nX-Evil: 1@example.org' };
    await askRspamd(`http://${server.place}`, odd, systemClock);
    assert.equal(fields['x-evil'], undefined);
  });
});

/** A milter by a table of answers; writes down what it was told. */
function milter(
  protocol: number,
  answers: Readonly<Record<string, readonly Buffer[]>>,
  told: string[],
): Promise<Peer> {
  return peer(
    createServer((socket) => {
      let got: Buffer = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        got = Buffer.concat([got, chunk]);
        while (got.length >= 4 && got.length >= 4 + got.readUInt32BE(0)) {
          const size = got.readUInt32BE(0);
          const command = got.toString('latin1', 4, 5);
          const data = got.toString('latin1', 5, 4 + size);
          got = got.subarray(4 + size);
          told.push(command === 'B' ? `B${data.length}` : command + data.replaceAll('\0', '|'));
          if (command === 'O') socket.write(packet('O', uint32(6), uint32(1), uint32(protocol)));
          else if (command !== 'D') for (const one of answers[command] ?? [packet('c')]) socket.write(one);
        }
      });
    }),
  );
}

async function ask(answers: Readonly<Record<string, readonly Buffer[]>>): Promise<string> {
  await using server = await milter(0, answers, []);
  const { action, reason } = await askMilter(server.place, MESSAGE, systemClock);
  return `${action}: ${reason}`;
}

describe('a milter', () => {
  it('is led through the whole session and may add fields', async () => {
    const told: string[] = [];
    const end = [
      packet('p'),
      packet('h', text('X-Checked'), text('by us\n and you\r\nX-Evil: yes')),
      packet('h', text('Bad Name'), text('x')),
      packet('b', 'another body'),
      packet('c'),
    ];
    await using server = await milter(0, { E: end }, told);
    assert.deepEqual(await askMilter(server.place, MESSAGE, systemClock), {
      action: 'accept',
      reason: '',
      added: [{ name: 'X-Checked', value: 'by us and you  X-Evil: yes' }],
    });
    const steps = told.filter((line) => !line.startsWith('D') && !line.startsWith('O'));
    assert.deepEqual(steps.slice(0, 9), [
      'C[192.0.2.1]|4\u0012g192.0.2.1|',
      'Hmx.example.org|',
      'M<a@example.org>|',
      'R<b@example.net>|',
      'R<c@example.net>|',
      'T',
      'LFrom|a@example.org|',
      'LSubject|one\n two|',
      'N',
    ]);
    const octets = steps.filter((line) => /^B\d/.test(line)).map((line) => Number(line.slice(1)));
    assert.equal(
      octets.reduce((sum, size) => sum + size, 0),
      BODY.length,
    );
    assert.ok(octets.every((size) => size <= 65_535));
  });

  it('leaves out what it does not want and does not wait where it is silent', async () => {
    const told: string[] = [];
    // No HELO, no DATA, no header; silent at MAIL and in the body.
    await using server = await milter(0x2 | 0x200 | 0x20 | 0x4000 | 0x80000, { M: [], B: [] }, told);
    assert.equal((await askMilter(server.place, MESSAGE, systemClock)).action, 'accept');
    assert.equal(
      told.some((line) => /^[HTL]/.test(line)),
      false,
      told.join('\n'),
    );
    assert.ok(told.some((line) => line.startsWith('M<')));
  });

  it('refuses with its own words, defers, quarantines; one refused recipient is not the message', async () => {
    assert.equal(await ask({ H: [packet('r')] }), 'reject: reject');
    assert.equal(await ask({ E: [packet('y', text('550 5.7.1 no thanks'))] }), 'reject: 550 5.7.1 no thanks');
    assert.equal(await ask({ L: [packet('y', text('451 4.7.1 later'))] }), 'defer: 451 4.7.1 later');
    assert.equal(await ask({ M: [packet('t')] }), 'defer: try again later');
    assert.equal(await ask({ E: [packet('q', text('odd')), packet('c')] }), 'quarantine: odd');
    assert.equal(await ask({ B: [packet('s')] }), 'accept: ');
    assert.equal(await ask({ R: [packet('r')] }), 'reject: reject', 'every recipient is refused');
  });

  it('that breaks the protocol is a failed partner', async () => {
    await using closing = await peer(createServer((socket) => socket.destroy()));
    await assert.rejects(askMilter(closing.place, MESSAGE, systemClock), PartnerFailed);
    await using huge = await peer(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x4f]));
      }),
    );
    await assert.rejects(askMilter(huge.place, MESSAGE, systemClock), /a packet of 4294967295 octets/);
    await using odd = await milter(0, { H: [packet('?')] }, []);
    await assert.rejects(askMilter(odd.place, MESSAGE, systemClock), /answers "\?"/);
  });

  it('that makes progress for ever is given up before the sender gives us up', async () => {
    const clock = manualClock();
    await using busy = await peer(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.write(packet('O', uint32(6), uint32(1), uint32(0)));
          const again = setInterval(() => socket.write(packet('p')), 2);
          socket.once('close', () => clearInterval(again));
        });
      }),
    );
    let ended = false;
    const asked = assert.rejects(askMilter(busy.place, MESSAGE, clock), PartnerFailed).then(() => {
      ended = true;
    });
    // Each step is well below what one answer may take; together they are more than the whole may.
    for (let i = 0; i < 100 && !ended; i++) {
      await sleep(20);
      if (i * 10_000 < 90_000) assert.equal(ended, false);
      clock.advance(10_000);
    }
    await asked;
  });
});
