/**
 * The emulator as a process of its own, for benches and for tests whose client must not share its event loop:
 * `node test/support/aws/main.ts '{"ses":{"latencyMs":50,"identities":["example.org"]}}'`. Prints one line of JSON with
 * endpoint, region and credentials; ends at SIGTERM or when its input closes, with a line that counts what was sent.
 */
import { startAws } from './emulator.ts';
import type { AwsOptions } from './types.ts';

const aws = await startAws(JSON.parse(process.argv[2] ?? '{}') as AwsOptions);
console.log(JSON.stringify(aws.settings));

async function stop(): Promise<void> {
  const { sent } = aws.ses;
  const octets = sent.reduce((sum, { size }) => sum + size, 0);
  console.log(
    JSON.stringify({ sent: sent.length, octets, calls: aws.calls.length, violations: aws.violations }),
  );
  await aws.close();
  process.exit(0);
}

process.once('SIGTERM', () => void stop());
process.stdin.once('end', () => void stop()).resume();
