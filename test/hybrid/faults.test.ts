import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILOVER_SCENARIOS, type FailoverScenario, runFailover } from './failover.ts';
import { INTAKE_SCENARIOS, type IntakeScenario, runIntake } from './intake-faults.ts';

/** A few of the scenarios with few messages; `node bench/faults.ts` runs all of them with a thousand. */

function named<T extends { readonly name: string }>(scenarios: readonly T[], words: string): T {
  return scenarios.find(({ name }) => name.startsWith(words)) ?? assert.fail(`no scenario ${words}`);
}

describe('mail that comes in through SES while things go wrong', () => {
  const scenarios: [IntakeScenario, number][] = [
    [named(INTAKE_SCENARIOS, 'every notice comes twice'), 60],
    [named(INTAKE_SCENARIOS, 'S3 answers 500'), 60],
    [{ ...named(INTAKE_SCENARIOS, 'killed again and again (SQS)'), killEveryMs: 350 }, 200],
  ];
  for (const [scenario, messages] of scenarios) {
    it(scenario.name, async (t) => {
      const found = await runIntake(scenario, messages);
      assert.deepEqual([found.lost, found.doubled, found.left], [0, 0, 0]);
      assert.equal(found.delivered, found.expected);
      if (scenario.killEveryMs !== undefined) assert.ok(found.kills > 0, 'it was killed');
      t.diagnostic(`report: ${messages} messages, ${found.delivered} copies, ${found.kills} kills`);
    });
  }
});

describe('mail that leaves by two ways while things go wrong', () => {
  const scenarios: [FailoverScenario, number][] = [
    [named(FAILOVER_SCENARIOS, 'the MX lists our address'), 16],
    [named(FAILOVER_SCENARIOS, 'SES first: it sends, and the answer is cut off'), 24],
    [{ ...named(FAILOVER_SCENARIOS, 'SES alone, killed'), killEveryMs: 500, kills: 3, factor: 40 }, 48],
  ];
  for (const [scenario, messages] of scenarios) {
    it(scenario.name, async (t) => {
      const found = await runFailover(scenario, messages);
      assert.deepEqual([found.lost, found.doubled], [0, 0]);
      assert.equal(found.accepted, messages);
      if (scenario.killEveryMs !== undefined) assert.ok(found.kills > 0, 'it was killed');
      t.diagnostic(
        `report: ${found.accepted} messages, ${found.direct} by the MX, ${found.ses} by SES, ${found.kills} kills, ${found.interrupted} attempts cut off`,
      );
    });
  }
});
