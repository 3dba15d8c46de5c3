/** What an administrator can do about what the checks of connection and envelope refused (flow/inbound/gate/refusals.ts). */
export const gateRemedies: readonly { readonly words: RegExp; readonly say: () => string }[] = [
  {
    words: /Have it taken off /,
    say: () =>
      'A DNS list of yours has the sender, and you have set it to refuse. The sender has to be taken off that list. If you need their mail before: postern filter allow NETWORK, or let the list score only ("refuse": false in postern filter set lists).',
  },
  {
    words: /5\.7\.25|has no name in DNS|does not lead back to it/,
    say: () =>
      "The sender's provider has to give the address a name (PTR) that leads back to it. To score this and refuse nobody: postern filter set reverse_dns score.",
  },
  {
    words: /You called yourself /,
    say: () =>
      "The sender's server has to say its full name in HELO. To score this and refuse nobody: postern filter set helo score.",
  },
  {
    words: /5\.1\.8|5\.7\.27|4\.1\.8|nobody could answer/,
    say: () =>
      'The sender has to use an address that can be answered. To score this and refuse nobody: postern filter set unknown_sender_domain score.',
  },
  {
    words: /messages in an hour from your network/,
    say: () =>
      'The network sent more than messages_per_hour allows; it comes back by itself. To allow more: postern filter set messages_per_hour NUMBER (0: no limit).',
  },
  {
    words: /Greylisted: /,
    say: () =>
      "Nothing is wrong: the sender's server comes back by itself, and then the mail is taken. If it does not come back, it was no mail server. To have nobody wait: postern filter set greylist.mode off.",
  },
  {
    words: /recipients from you do not exist here/,
    say: () =>
      'Somebody tries addresses, or has a very old list of them. If it is a sender you know: postern filter set tarpit_after NUMBER (0: never).',
  },
  {
    words: /before the greeting, as only spam programs do|talked before the greeting/,
    say: () =>
      'No mail server does this: it was a scanner or a spam program. To score this and refuse nobody: postern filter set early_talker score.',
  },
];
