import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { relayConfig } from '../../src/app/relay/config.ts';
import { readGoFlags } from '../../src/app/relay/go-flags.ts';
import { type RelayParts, type RunningRelay, startRelay } from '../../src/app/relay/start.ts';
import { RELAY_FLAGS } from '../../src/app/relay/table.ts';
import { createAws } from '../../src/net/aws/client.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator } from '../support/aws/types.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';

/** A relay in this process that sends to an emulator of SES, with a clock that stands still but for its own waits. */
export interface TestRelay extends AsyncDisposable {
  readonly aws: AwsEmulator;
  readonly relay: RunningRelay;
  readonly clock: ManualClock;
  /** Lines of the JSON log. */
  readonly lines: string[];
}

/** Waits of the relay itself pass at once; time moves on by them. */
function hastyClock(): ManualClock {
  const clock = manualClock(Date.UTC(2026, 10, 21, 12, 0, 0));
  return {
    ...clock,
    get timers() {
      return clock.timers;
    },
    async sleep(ms) {
      clock.advance(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

export async function testRelay(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  more: { readonly reverseName?: string; readonly space?: RelayParts['space'] } = {},
): Promise<TestRelay> {
  const aws = await startAws({ ses: { identities: ['example.org'] } });
  const place = ['-a', '127.0.0.1:0', '-h', 'relay.example', '--metrics-listen', 'off'];
  const config = await relayConfig(readGoFlags([...place, ...flags], RELAY_FLAGS), {
    AWS_REGION: aws.region,
    ...env,
  });
  const clock = hastyClock();
  const client = createAws({ ...config.aws, ...aws.settings }, { clock: systemClock });
  const lines: string[] = [];
  const relay = await startRelay({
    config,
    aws: client,
    clock,
    logger: silentLogger,
    log: (line) => lines.push(line),
    random: () => 0,
    space: more.space,
    ...(more.reverseName !== undefined && { dns: dnsWith(more.reverseName) }),
  });
  return {
    aws,
    relay,
    clock,
    lines,
    async [Symbol.asyncDispose]() {
      const stopped = relay.stop(1);
      let over = false;
      void stopped.finally(() => (over = true));
      while (!over) {
        clock.advance(10_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      client.close();
      await aws.close();
    },
  };
}

/** Every address has this name, and the name 127.0.0.1. */
function dnsWith(name: string): NonNullable<Parameters<typeof startRelay>[0]['dns']> {
  return {
    query: async (_, type) =>
      ({
        status: 'ok',
        records: [type === 'PTR' ? name : '127.0.0.1'],
        ttl: 60,
        authenticated: false,
      }) as never,
  };
}
