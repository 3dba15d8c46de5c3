import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAILOVER_SCENARIOS, type FailoverScenario, runFailover } from './failover.ts';
import { named } from './named.ts';
import { skipUnlessLong } from '../support/programs.ts';

/** A few of the scenarios with few messages; `node bench/faults.ts` runs all of them with a thousand. */

describe('mail that leaves by two ways while things go wrong', () => {
  const scenarios: [FailoverScenario, number][] = [
    [named(FAILOVER_SCENARIOS, 'the MX lists our address'), 16],
    [named(FAILOVER_SCENARIOS, 'SES first: it sends, and the answer is cut off'), 24],
    [{ ...named(FAILOVER_SCENARIOS, 'SES alone, killed'), killEveryMs: 500, kills: 3 }, 48],
  ];
  for (const [scenario, messages] of scenarios) {
    // Kills take their time.
    const skip = scenario.killEveryMs === undefined ? false : skipUnlessLong();
    it(scenario.name, { skip }, async (t) => {
      const found = await runFailover(scenario, messages);
      assert.deepEqual([found.lost, found.doubled], [0, 0], JSON.stringify(found));
      assert.equal(found.accepted, messages);
      if (scenario.killEveryMs !== undefined) assert.ok(found.kills > 0, 'it was killed');
      t.diagnostic(
        `report: ${found.accepted} messages, ${found.direct} by the MX, ${found.ses} by SES, ${found.kills} kills, ${found.interrupted} attempts cut off`,
      );
    });
  }
});
