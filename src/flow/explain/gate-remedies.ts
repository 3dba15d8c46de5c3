import { type Facts, ipIn, type Remedy } from './facts.ts';

/** "postern filter allow 192.0.2.7": who sends from there passes, whatever the site wants refused. */
function allowClient(facts: Facts): string {
  return `\nTo take mail from there all the same:\npostern filter allow ${ipIn(facts)}`;
}

function scoreOnly(setting: string): string {
  return `\nTo score this and refuse nobody:\npostern filter set ${setting} score`;
}

/** What an administrator can do about what the checks of connection and envelope refused (flow/inbound/gate/refusals.ts). */
export const gateRemedies: readonly Remedy[] = [
  {
    words: /Have it taken off /,
    say: (facts) =>
      `A DNS list of yours has the sender, and you have set it to refuse. Whoever runs that server has to have it taken off the list. To have the list score only, set its "refuse" to false (postern filter show lists).${allowClient(facts)}`,
  },
  {
    words: /5\.7\.25|has no name in DNS|does not lead back to it/,
    say: (facts) =>
      `The sender's provider has to give the address a name (PTR) that leads back to it.${allowClient(facts)}${scoreOnly('reverse_dns')}`,
  },
  {
    words: /You called yourself /,
    say: (facts) =>
      `The sender's server has to say its full name in HELO.${allowClient(facts)}${scoreOnly('helo')}`,
  },
  {
    words: /5\.1\.8|5\.7\.27|4\.1\.8|nobody could answer/,
    say: (facts) =>
      `The sender has to use an address that can be answered.${allowClient(facts)}${scoreOnly('unknown_sender_domain')}`,
  },
  {
    words: /messages in an hour from your network/,
    say: () =>
      'The network sent more than messages_per_hour allows; it comes back by itself. To allow more (0: no limit):\npostern filter set messages_per_hour NUMBER',
  },
  {
    words: /Greylisted: /,
    say: () =>
      "Nothing is wrong: the sender's server comes back by itself, and then the mail is taken. If it does not come back, it was no mail server. To have nobody wait:\npostern filter set greylist.mode off",
  },
  {
    words: /recipients from you do not exist here/,
    say: () =>
      'Somebody tries addresses, or has a very old list of them. If it is a sender you know, allow more (0: any number):\npostern filter set tarpit_after NUMBER',
  },
  {
    words: /before the greeting, as only spam programs do/,
    say: () => `No mail server does this: it was a scanner or a spam program.${scoreOnly('early_talker')}`,
  },
];
