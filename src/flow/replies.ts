import { Refusal, type RefusalKind, smtpReply } from '../base/errors.ts';

/** The refusals of the mail flow, in one place so that their codes and words can be read side by side. */
function refusal(kind: RefusalKind, code: number, enhanced: string, text: string): Refusal {
  return new Refusal(kind, text, { smtp: smtpReply(code, enhanced, text) });
}

export const replies = {
  /** RFC 5321 3.6.2, RFC 3463 X.7.1. */
  relayDenied: (address: string): Refusal =>
    refusal('not-permitted', 550, '5.7.1', `<${address}>: we do not relay for this domain`),
  unknownRecipient: (address: string): Refusal =>
    refusal('no-such-account', 550, '5.1.1', `<${address}>: no such recipient here`),
  /** RFC 3463 X.1.6 speaks of addresses that have moved; to the sender this one does not exist any more. */
  switchedOff: (address: string): Refusal =>
    refusal(
      'no-such-account',
      550,
      '5.1.1',
      `<${address}>: this address was made for one sender and its owner has switched it off`,
    ),
  /** RFC 3463 X.3.0. A table that cannot be read may yet name the recipient, or the sender. */
  lookupUnavailable: (): Refusal =>
    refusal('unavailable', 451, '4.3.0', 'A lookup table cannot be read here at present; try again later'),
  badAddress: (reason: string): Refusal =>
    refusal('bad-input', 553, '5.1.3', `Bad recipient address: ${reason}`),
  needsSmtpUtf8: (): Refusal =>
    refusal('bad-input', 553, '5.6.7', 'This address needs the SMTPUTF8 parameter of MAIL'),
  badReversePath: (reason: string): Refusal =>
    refusal('bad-input', 553, '5.1.7', `Bad sender address: ${reason}`),
  overQuota: (address: string): Refusal =>
    refusal('over-quota', 452, '4.2.2', `<${address}>: mailbox is full, try again later`),
  /** RFC 3463 X.3.1. */
  diskReserve: (): Refusal =>
    refusal('storage-full', 452, '4.3.1', 'The disk here is nearly full; try again later'),
  allOverQuota: (): Refusal => refusal('over-quota', 452, '4.2.2', 'Mailbox is full, try again later'),
  /** RFC 3463 X.7.2: the mailing list is closed to this sender. */
  closedGroup: (address: string, senders: 'domain' | 'members' | 'anyone'): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.2',
      `<${address}>: only ${senders === 'members' ? 'its members' : 'people of its domain'} may send to this group`,
    ),
  aliasLoop: (address: string): Refusal =>
    refusal('conflict', 550, '5.4.6', `<${address}>: this alias leads back to itself`),
  mailLoop: (fields: number): Refusal =>
    refusal('conflict', 554, '5.4.6', `Mail loop: the message has passed ${fields} hosts`),
  forwardLoop: (address: string): Refusal =>
    refusal('conflict', 554, '5.4.6', `Mail loop: the message was already delivered to <${address}> here`),
  badSrs: (reason: string): Refusal =>
    refusal('no-such-account', 550, '5.1.1', `Not an address of ours: ${reason}`),
  srsNotBounce: (): Refusal =>
    refusal('not-permitted', 550, '5.7.1', 'This address takes delivery notifications only'),
  notOwned: (address: string, login: string): Refusal =>
    refusal('not-permitted', 553, '5.7.1', `Sender <${address}> is not an address of the account ${login}`),
  authorNotOwned: (field: string, address: string, login: string): Refusal =>
    refusal('not-permitted', 553, '5.7.1', `${field} <${address}> is not an address of the account ${login}`),
  badAuthor: (field: string, reason: string): Refusal =>
    refusal('bad-input', 554, '5.6.0', `The ${field} field is not usable: ${reason}`),
  hourlyLimit: (what: string, limit: number, minutes: number): Refusal =>
    refusal('limit', 450, '4.7.1', `More than ${limit} ${what} in an hour; try again in ${minutes} min`),
  loginRequired: (): Refusal => refusal('not-permitted', 530, '5.7.0', 'Authentication required'),
  /** RFC 3463 X.4.3: a directory server, here DNS. */
  unproven: (domain: string): Refusal =>
    refusal(
      'unavailable',
      451,
      '4.4.3',
      `DNS did not answer whether ${domain} has sent this; try again later`,
    ),
  /** RFC 3463 X.7.1. The case number leads the recipient and the administrator to the message. */
  spam: (caseNumber: string | undefined): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.1',
      caseNumber === undefined
        ? 'Refused as unwanted mail. If it is not, write to the recipient some other way'
        : `Refused as unwanted mail (case ${caseNumber}). If it is not, tell the recipient this number`,
    ),
  policy: (why: string, caseNumber: string | undefined): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.1',
      `Refused${caseNumber === undefined ? '' : ` (case ${caseNumber})`}: ${why}`,
    ),
} as const;
