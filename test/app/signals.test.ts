import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

/** A program of a few lines with our handlers installed; what it logged and how it ended. */
function run(body: string): { status: number | null; signal: string | null; out: string } {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    import { systemClock } from ${url('../../src/base/clock.ts')};
    import { createLogger } from ${url('../../src/base/log.ts')};
    import { handleFailures, stopSignals } from ${url('../../src/app/signals.ts')};
    const logger = createLogger({ level: 'info', pretty: false });
    const counted = [];
    handleFailures({ logger, clock: systemClock, count: (kind) => counted.push(kind), flush: async () => console.log('flushed') });
    ${body}`;
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    {
      encoding: 'utf8',
      timeout: 10_000,
    },
  );
  return { status, signal, out: stdout + stderr };
}

describe('failures that no session caught', () => {
  it('go on after a rejected promise, logged with an id and counted', () => {
    const { status, out } = run(`
      Promise.reject(new Error('lost'));
      setTimeout(() => { console.log('still here', counted.join()); process.exit(0); }, 50);`);
    assert.match(out, /"id":"[0-9a-z]{18}","error":"Error: lost/);
    assert.match(out, /still here rejection/);
    assert.equal(status, 0);
  });

  it('flush and end with a failure after an uncaught exception', () => {
    const { status, out } = run(`
      setTimeout(() => { throw new Error('broken'); }, 10);
      setInterval(() => {}, 1000);`);
    assert.match(out, /"id":"[0-9a-z]{18}","error":"Error: broken/);
    assert.match(out, /flushed/);
    assert.equal(status, 70);
  });
});

describe('signals to stop', () => {
  it('take a repeat within a second as the same, a later one as impatience', () => {
    const { status, out } = run(`
      let now = 0;
      const clock = { ...systemClock, monotonic: () => now };
      const signals = stopSignals(clock, () => { console.log('forced'); process.exit(3); });
      const send = (name) => { process.kill(process.pid, name); return new Promise((r) => setTimeout(r, 20)); };
      await send('SIGINT');
      console.log('asked', await signals.asked);
      now = 900;
      await send('SIGINT');
      await send('SIGTERM');
      console.log('patient');
      now = 1100;
      await send('SIGINT');`);
    assert.match(out, /asked SIGINT\npatient\nforced/);
    assert.equal(status, 3);
  });
});
