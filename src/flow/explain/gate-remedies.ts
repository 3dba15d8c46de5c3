import { type Facts, ipIn, type Remedy } from './facts.ts';
import { remedy, type Said } from './say.ts';

/** "postern filter allow 192.0.2.7": who sends from there passes, whatever the site wants refused. */
function allowClient(facts: Facts): Said {
  return remedy('allowClient', { ip: ipIn(facts) });
}

function scoreOnly(setting: string): Said {
  return remedy('scoreOnly', { setting });
}

/** What an administrator can do about what the checks of connection and envelope refused (flow/inbound/gate/refusals.ts). */
export const gateRemedies: readonly Remedy[] = [
  { words: /Have it taken off /, say: (facts) => [remedy('listed'), allowClient(facts)] },
  {
    words: /5\.7\.25|has no name in DNS|does not lead back to it/,
    say: (facts) => [remedy('needsName'), allowClient(facts), scoreOnly('reverse_dns')],
  },
  {
    words: /You called yourself /,
    say: (facts) => [remedy('needsHelo'), allowClient(facts), scoreOnly('helo')],
  },
  {
    words: /5\.1\.8|5\.7\.27|4\.1\.8|nobody could answer/,
    say: (facts) => [remedy('needsAddress'), allowClient(facts), scoreOnly('unknown_sender_domain')],
  },
  { words: /messages in an hour from your network/, say: () => [remedy('tooManyMessages')] },
  { words: /Greylisted: /, say: () => [remedy('greylisted')] },
  { words: /recipients from you do not exist here/, say: () => [remedy('guessing')] },
  {
    words: /before the greeting, as only spam programs do/,
    say: () => [remedy('scannerEarly'), scoreOnly('early_talker')],
  },
];
