import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { SOCKET_LIMITS, serveSocket } from './websocket-session.ts';

/** A socket whose other end does what the test says. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  paused = false;
  pings = 0;
  closedWith: number | undefined;
  terminated = false;
  ping(): void {
    this.pings++;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  readonly sent: Record<string, unknown>[] = [];
  send(text: string | Buffer, _options: object, done: () => void): void {
    this.sent.push(JSON.parse(String(text)) as Record<string, unknown>);
    done();
  }
  close(code: number): void {
    this.closedWith = code;
    this.readyState = 2;
  }
  terminate(): void {
    if (this.terminated) return;
    this.terminated = true;
    this.readyState = 3;
    this.emit('close');
  }
}

describe('a WebSocket whose client is in trouble', () => {
  let clock: ManualClock;
  let socket: FakeSocket;
  let ended: number;
  let revoked: AbortController;
  let goodbye: () => void;
  beforeEach(() => {
    clock = manualClock();
    socket = new FakeSocket();
    ended = 0;
    revoked = new AbortController();
    goodbye = serveSocket(
      {
        options: { clock, logger: { error: () => undefined } },
        shared: {},
        socket,
        login: { accountId: 1, revoked: revoked.signal },
      } as never,
      () => ended++,
    );
  });
  const look = (): void => clock.advance(SOCKET_LIMITS.lookMs);

  it('stays while it answers, and ends when it no longer does', () => {
    for (let i = 0; i < 5; i++) {
      look();
      assert.equal(socket.pings, i + 1);
      socket.emit('pong');
    }
    assert.equal(socket.terminated, false);
    look();
    look();
    assert.equal(socket.terminated, true);
    assert.equal(ended, 1);
    assert.equal(clock.timers, 0, 'nothing is left behind');
  });

  it('may take its time to read, but not for ever', () => {
    socket.bufferedAmount = 1_000_000;
    look();
    for (let i = 0; i < SOCKET_LIMITS.slowLooks - 2; i++) {
      socket.bufferedAmount -= 1000;
      look();
      assert.equal(socket.terminated, false, `look ${i}`);
    }
    socket.bufferedAmount -= 1000;
    look();
    assert.equal(socket.terminated, true);
  });

  it('is told of a failure of ours as that, and not as a limit', async () => {
    const told = new Promise<void>((resolve) => {
      const { send } = socket;
      socket.send = function (this: FakeSocket, text, options, done) {
        send.call(this, text, options, done);
        resolve();
      };
    });
    // No turns, no store: whatever is asked for fails.
    socket.emit('message', Buffer.from('{"@type":"Request","id":"r","using":[],"methodCalls":[]}'), false);
    await told;
    const [{ detail, ...answer } = {}] = socket.sent;
    assert.deepEqual(answer, { '@type': 'RequestError', requestId: 'r', type: 'about:blank', status: 503 });
    assert.equal(typeof detail, 'string');
  });

  it('that reads nothing at all is cut off soon', () => {
    socket.bufferedAmount = 1_000_000;
    look();
    look();
    assert.equal(socket.terminated, true);
  });

  it('gets a moment to say goodbye', () => {
    revoked.abort();
    assert.equal(socket.closedWith, 1008);
    goodbye();
    assert.equal(socket.closedWith, 1008, 'only once');
    assert.equal(socket.terminated, false);
    clock.advance(SOCKET_LIMITS.goodbyeMs);
    assert.equal(socket.terminated, true);
    assert.equal(ended, 1);
    assert.equal(clock.timers, 0);
  });
});
