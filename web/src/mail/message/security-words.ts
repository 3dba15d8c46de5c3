import { formatDate } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import type { Inspected } from './security-check.ts';

const OLD = {
  hash: 'oldHash',
  expired: 'oldExpired',
  revoked: 'oldRevoked',
  weak: 'oldWeak',
  purpose: 'oldPurpose',
} as const;

/** Milliseconds between signing and coming that are nothing to speak of. */
const SOON = 3 * 86_400_000;

/** What a signature is worth, for people. `came`: when the message did, ms since the epoch. */
export function signatureSentences(found: Extract<Inspected, { kind: 'signed' }>, came: number): string[] {
  const { verdict } = found;
  const t = texts('signatures');
  const said = verdictSentence(found);
  // What is broken or foreign is so whatever it covers.
  const sentences = verdict.partial ? [t('partial'), t('partSays', { sentence: said })] : [said];
  // Somebody may send again what was signed long ago, under another subject.
  if ('at' in verdict && verdict.at !== undefined && came - verdict.at > SOON)
    sentences.push(t('signedThen', { date: formatDate(verdict.at) }));
  return sentences;
}

function verdictSentence({ verdict, sender: address, how }: Extract<Inspected, { kind: 'signed' }>): string {
  const t = texts('signatures');
  const pgp = how === 'pgp';
  const domain = address.slice(address.lastIndexOf('@') + 1);
  switch (verdict.state) {
    case 'trusted':
      return t(pgp ? 'trustedPgp' : 'trustedSmime', { address });
    case 'authority':
      return t('authority', {
        address,
        name: verdict.signer.name,
        issuer: verdict.signer.issuer ?? '',
      });
    case 'domain':
      return t('domain', { address, domain });
    case 'first':
      if (!pgp)
        return t(verdict.signer.selfSigned === true ? 'firstSelf' : 'firstSmime', {
          address,
          issuer: verdict.signer.issuer ?? '',
        });
      return verdict.since === undefined
        ? t('firstPgp', { address })
        : t('firstSince', { address, date: formatDate(verdict.since) });
    case 'changed':
      return t(pgp ? 'changedPgp' : 'changedSmime', { address });
    case 'other':
      return t('other', {
        address,
        signer: verdict.signer.addresses.join(', ') || verdict.signer.name || '?',
      });
    case 'several':
      return t('several');
    case 'old':
      return t(OLD[verdict.reason]);
    case 'unknown':
      return t(pgp ? 'unknownPgp' : 'unknownSmime');
    case 'broken':
      return t('broken');
    case 'unreadable':
      return t('unreadable');
  }
}
