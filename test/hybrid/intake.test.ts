import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INTAKE_SCENARIOS, type IntakeScenario, runIntake } from './intake-faults.ts';
import { named } from './named.ts';
import { skipUnlessLong } from '../support/programs.ts';

/** A few of the scenarios with few messages; `node bench/faults.ts` runs all of them with a thousand. */

describe('mail that comes in through SES while things go wrong', () => {
  const scenarios: [IntakeScenario, number][] = [
    [named(INTAKE_SCENARIOS, 'every notice comes twice'), 60],
    [named(INTAKE_SCENARIOS, 'S3 answers 500'), 60],
    [{ ...named(INTAKE_SCENARIOS, 'killed again and again (SQS)'), killEveryMs: 350, kills: 3 }, 200],
  ];
  for (const [scenario, messages] of scenarios) {
    // Kills and retries take their time.
    const skip = scenario.name.startsWith('every notice') ? false : skipUnlessLong();
    it(scenario.name, { skip }, async (t) => {
      const found = await runIntake(scenario, messages);
      assert.deepEqual([found.lost, found.doubled, found.left], [0, 0, 0], JSON.stringify(found));
      assert.equal(found.delivered, found.expected);
      if (scenario.killEveryMs !== undefined) assert.ok(found.kills > 0, 'it was killed');
      t.diagnostic(`report: ${messages} messages, ${found.delivered} copies, ${found.kills} kills`);
    });
  }
});
