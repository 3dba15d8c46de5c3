/** "Why is this here?", in English. For somebody who never met a mail server. */
export const whyWords = {
  // The verdict
  junkBecause: 'It was put into Junk because {reason}.',
  inboxBecause: 'It was let into the inbox because {reason}.',
  inboxNothing: 'It is in the inbox because the spam filter found nothing that speaks strongly against it.',
  junkUnwanted: 'The spam filter takes it for unwanted mail and put it into Junk.',
  junkAbove: 'The spam filter takes it for unwanted mail and put it into Junk. Above all: {reason}',
  theRule: 'the rule {name}',

  // Who wrote it
  writtenHere: 'It was written by {login}, who has an account here.',
  noAuthor: 'The message does not say who wrote it.',
  proven: 'It really is from {domain}: that was proven.',
  unproven: 'It says it is from {address}, and that could not be proven: somebody else may have written it.',
  notProven: 'Nothing proves that it really is from {address}.',

  // How it was put where it is
  ruleFiled: 'Your rule "{rule}" put it into {mailbox}.',
  lineFiled: 'Line {line} of {script} put it into {mailbox}.',
  endFiled: 'The end of {script} put it into {mailbox}.',
  sent: 'You sent it yourself, or a program that signed in as you did.',
  snoozed: 'You put it away: it comes back at the time that you have chosen.',
  deleted: 'You deleted it; it can still be brought back.',
  woken: 'You had put it away until a time that has come.',
  moved: 'It came into {from}; you, or one of your programs, moved it to {to}.',
  inbox: 'the inbox',
  mailbox: '"{name}"',
  masked: 'It came to your masked address {address}.',
  maskedFor: 'It came to your masked address {address}, which you made for {site}.',
  maskedOff: 'It came to your masked address {address}. It is switched off by now.',
  maskedForOff:
    'It came to your masked address {address}, which you made for {site}. It is switched off by now.',
  catchAll: 'It was for {address} which nobody has; you get what comes to {catchAll} otherwise.',
  catchAllUnnamed: 'It was for an address which nobody has; you get what comes to {catchAll} otherwise.',
  leadsHere: 'It was sent to {address}, and that address leads to you.',
  delivered: 'It was delivered to {to}.',
  failed: 'It could not be delivered to {to}.',
  cameBack: 'It came back from {to}.',
  draft: 'It is a draft: you, or one of your programs, saved it here.',
  sentCopy: 'It is a copy that a program of yours put here when it sent the message.',
  sentCopyOld:
    'It is a copy that a program of yours put here when it sent the message, or it is older than the {days} days that histories are kept.',
  putHere: 'It did not come by mail: a program of yours put it here, or it was moved in from another server.',
  putHereOld:
    'It did not come by mail: a program of yours put it here, or it was moved in from another server, or it is older than the {days} days that histories are kept.',
} as const;
