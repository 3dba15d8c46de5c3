import { ApiError } from '../base/http.ts';
import { formatSize } from '../base/format.ts';
import type { texts } from '../base/i18n.ts';
import { isAddress } from './addresses.ts';
import { attachedOctets, type Draft, envelopeRecipients } from './draft.ts';
import { NotSent, SentOtherwise } from './sending.ts';
import { SetRefused } from './server.ts';

type Words = ReturnType<typeof texts<'compose'>>;
export type Place = 'from' | 'to' | 'subject' | 'body' | 'attachments' | 'whole';

export interface Problem {
  readonly place: Place;
  readonly sentence: string;
}

/** What keeps a draft from being sent, before the server is asked. */
export function problemBefore(draft: Draft, mostOctets: number, t: Words): Problem | undefined {
  const bad = [...draft.to, ...draft.cc, ...draft.bcc].find(({ email }) => !isAddress(email));
  if (bad !== undefined) return { place: 'to', sentence: t('badAddress', { address: bad.email }) };
  if (envelopeRecipients(draft).length === 0) return { place: 'to', sentence: t('noRecipients') };
  if (draft.from === undefined) return { place: 'from', sentence: t('noSender') };
  if (attachedOctets(draft.attachments) > mostOctets)
    return { place: 'attachments', sentence: t('tooMuchAttached', { most: formatSize(mostOctets) }) };
  return undefined;
}

/** What the server said, in words, at the place it is about (RFC 8621 section 7.5). */
export function problemAfter(error: unknown, t: Words): Problem {
  const refused = error instanceof NotSent ? error.reason : error;
  if (refused instanceof SetRefused) return ofRefused(refused, t);
  if (refused instanceof SentOtherwise) return { place: 'whole', sentence: t('sentOtherwise') };
  if (refused instanceof ApiError && refused.kind === 'offline')
    return { place: 'whole', sentence: t('notReached') };
  const message = refused instanceof Error ? refused.message : String(refused);
  return { place: 'whole', sentence: t('notSent', { message }) };
}

function ofRefused(error: SetRefused, t: Words): Problem {
  switch (error.type) {
    case 'noRecipients':
      return { place: 'to', sentence: t('noRecipients') };
    case 'invalidRecipients':
      return { place: 'to', sentence: ofRecipients(error.invalidRecipients, t) };
    case 'tooManyRecipients':
      return { place: 'to', sentence: t('tooManyRecipients') };
    case 'forbiddenFrom':
    case 'forbiddenMailFrom':
      return { place: 'from', sentence: t('forbiddenFrom') };
    case 'forbiddenToSend':
      return { place: 'whole', sentence: t('forbiddenToSend', { message: error.message }) };
    case 'tooLarge':
      return { place: 'attachments', sentence: t('tooLarge') };
    case 'overQuota':
      return { place: 'whole', sentence: t('overQuota') };
    case 'blobNotFound':
      return { place: 'attachments', sentence: t('attachmentGone') };
    default:
      return { place: placeOf(error.properties), sentence: t('notSent', { message: error.message }) };
  }
}

function ofRecipients(refused: readonly string[], t: Words): string {
  const bad = refused.filter((email) => !isAddress(email));
  const [text, list] =
    bad.length > 0 ? (['badAddress', bad] as const) : (['noSuchRecipient', refused] as const);
  return t(text, { address: list.join(', ') });
}

/** Why the server has not got a draft. */
export function unsavedReason(error: unknown, t: Words): string {
  if (error instanceof SetRefused) {
    if (error.type === 'overQuota') return t('mailboxFull');
    if (error.type === 'tooLarge') return t('tooLarge');
    if (error.type === 'blobNotFound') return t('attachmentGone');
  }
  return error instanceof Error ? error.message : String(error);
}

function placeOf(properties: readonly string[]): Place {
  if (properties.includes('from') || properties.includes('identityId')) return 'from';
  if (properties.some((name) => ['to', 'cc', 'bcc', 'envelope'].includes(name))) return 'to';
  if (properties.includes('subject')) return 'subject';
  return properties.includes('attachments') ? 'attachments' : 'whole';
}
