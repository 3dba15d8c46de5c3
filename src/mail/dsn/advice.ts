/**
 * What a status code (RFC 3463 and its registry) means for the person who wrote the message, and what can be done.
 * Keyed without the class; the class (4 or 5) says only whether it is for good.
 */
const ADVICE: Readonly<Record<string, string>> = {
  '1.0': 'There is something wrong with this address. Check it for typing errors.',
  '1.1':
    'There is no such mailbox. Check the part before the @ for typing errors, or ask the person for the right address in another way.',
  '1.2': 'The domain after the @ does not exist or takes no mail. Check it for typing errors.',
  '1.3': 'The address is not written correctly. Check it for typing errors.',
  '1.6': 'The person has moved and left no new address. Ask for it in another way.',
  '1.7':
    'Your own address was not accepted as a sender. Check the address in your mail program, or ask your administrator.',
  '1.8':
    'The other server could not verify the domain of your own address. Your administrator should check its DNS records.',
  '1.10': 'The domain after the @ states that it takes no mail at all. Check it for typing errors.',
  '2.0': 'There is something wrong with that mailbox. Tell its owner in another way.',
  '2.1': 'The mailbox is switched off. Tell its owner in another way.',
  '2.2': 'The mailbox is full. Its owner has to make room before mail can arrive.',
  '2.3': 'The message is larger than that mailbox takes. Send less, or a link to a file.',
  '2.4': 'The mailing list has a problem that its owner has to solve.',
  '3.1': 'The other server has no storage left. Only its administrator can change that.',
  '3.2': 'The other server is not taking mail at the moment.',
  '3.4': 'The message is larger than the other server takes. Send less, or a link to a file.',
  '4.1': 'The other server did not answer. The fault is there or on the way, not with you.',
  '4.2': 'The connection to the other server broke off. The fault is there or on the way, not with you.',
  '4.3': 'A directory that is needed to deliver the message did not answer.',
  '4.4': 'No mail server could be found for the domain after the @. Check it for typing errors.',
  '4.5': 'The other server has more mail to handle than it can.',
  '4.6':
    'The message went in circles between servers, most likely because of addresses that forward to each other. Tell the administrator of the domain after the @.',
  '4.7':
    'The message could not be delivered in the time allowed. The other server was out of reach or kept putting it off.',
  '6.1': 'The other server does not take this kind of message.',
  '6.3':
    'The message is in a form that the other server cannot take, and it cannot be changed without damage. Send it as plain text or as an attachment.',
  '6.7':
    'An address of this message has letters outside plain ASCII, and the other server cannot handle those. Use a plain address, if there is one.',
  '7.0': 'The message was refused by the rules of the server. What it said is all we know.',
  '7.1':
    'You may not send to this address, or the message was refused by the rules of the server. What it said may tell why.',
  '7.2': 'Only members may write to this mailing list.',
  '7.4': 'The message asked for protection that the other server does not offer.',
  '7.10': 'An encrypted connection was required, but not to be had, so the message was not sent.',
  '7.20':
    'The other server wants mail to be signed (DKIM), and did not accept the signature. Tell your administrator.',
  '7.23': 'The other server did not accept us as a sender for your domain (SPF). Tell your administrator.',
  '7.25': 'The other server objects to the name of our address in DNS. Tell your administrator.',
  '7.26':
    'The other server could not verify that the message is from your domain (SPF, DKIM). Tell your administrator.',
  '7.27':
    'The domain of your own address takes no mail, so the other server takes none from it. Tell your administrator.',
  '7.30':
    'The message required an encrypted connection all the way, which the other server does not offer, so it was not sent.',
};

/** For codes that are not in the table: by their subject, the middle number. */
const BY_SUBJECT: Readonly<Record<string, string>> = {
  '1': ADVICE['1.0'] ?? '',
  '2': ADVICE['2.0'] ?? '',
  '3': 'The other server has a problem of its own.',
  '4': 'The other server could not be reached properly. The fault is there or on the way, not with you.',
  '5': 'The two servers did not understand each other. Tell your administrator.',
  '6': 'The other server cannot handle the form of this message.',
  '7': ADVICE['7.0'] ?? '',
};

const UNKNOWN = 'No more is known about the cause.';
const DELAYED = 'This often passes by itself.';

/** One or two sentences about an enhanced status code for the sender of the message. */
export function adviceFor(status: string, action: 'failed' | 'delayed'): string {
  const [, code = '', subject = ''] = /^[245]\.(([0-9]{1,3})\.[0-9]{1,3})$/.exec(status) ?? [];
  const known = lookUp(ADVICE, code) ?? lookUp(BY_SUBJECT, subject);
  if (action === 'delayed') return known === undefined ? DELAYED : `${known} ${DELAYED}`;
  return known ?? UNKNOWN;
}

function lookUp(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Every sentence by a name of its own, for those who tell it in other languages. */
export const ADVICE_WORDS: Readonly<Record<string, string>> & { readonly DELAYED: string } = {
  ...Object.fromEntries(Object.entries(ADVICE).map(([code, text]) => [`a${code.replace('.', '_')}`, text])),
  ...Object.fromEntries(['3', '4', '5', '6'].map((subject) => [`a${subject}`, BY_SUBJECT[subject] ?? ''])),
  UNKNOWN,
  DELAYED,
};
