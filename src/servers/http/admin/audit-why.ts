import type { Said } from '../../../base/words.ts';
import { auditWords } from '../audit-words.ts';
import type { auditWhy } from '../audit-texts.ts';

/** Why an entry of the audit cannot be taken back, by what it begins with; the longest that fits. */
const WHY: readonly (readonly [action: string, why: keyof typeof auditWhy])[] = [
  ['audit.undo', 'whyUndo'],
  ['account.add', 'whyAccountAdd'],
  ['account.remove', 'whyAccountRemove'],
  ['account.restore', 'whyAccountRestore'],
  ['account.password', 'whyPassword'],
  ['account.passkey', 'whyPasskey'],
  ['account.totp', 'whyTotp'],
  ['account.recovery-codes', 'whyRecoveryCodes'],
  ['account.second-factor-reset', 'whySecondFactor'],
  ['account.app-password', 'whyAppPassword'],
  ['account.session', 'whySession'],
  ['account.grant', 'whyGrantOfProgram'],
  ['account.undelete', 'whyUndelete'],
  ['alerts.test', 'whyNothing'],
  ['backup.create', 'whyNothing'],
  ['backup.drill', 'whyNothing'],
  ['certificate.renew', 'whyCertificate'],
  ['filter.teach', 'whyNothing'],
  ['intake.retry', 'whyCopied'],
  ['intake.sweep', 'whyNothing'],
  ['mail.test', 'whyQueue'],
  ['routing.retry', 'whyNothing'],
  ['search.rebuild', 'whyNothing'],
  ['setup', 'whyNothing'],
  ['alias.restore', 'whyTooLarge'],
  ['backup.restore', 'whyBackupRestore'],
  ['ban.lift', 'whyBanEnded'],
  ['certificate', 'whyCertificate'],
  ['dns.own', 'whyDnsOwn'],
  ['domain.add', 'whyDomainAdd'],
  ['domain.remove', 'whyDomainRemove'],
  ['domain.dkim-key', 'whyDkimKey'],
  ['grant.add', 'whyGrantWasThere'],
  ['hold', 'whyGoneOn'],
  ['invitation.add', 'whyInvitationAdd'],
  ['invitation.remove', 'whyInvitationRemove'],
  ['mail', 'whyCopied'],
  ['mailbox.rights', 'whyRights'],
  ['masked', 'whyMasked'],
  ['queue', 'whyQueue'],
  ['secret.keep', 'whySecret'],
  ['server.annotate', 'whyAnnotation'],
  ['sieve', 'whySieve'],
  ['vault', 'whyVault'],
];

export function whyNot(action: string): Said {
  const fits = WHY.filter(
    ([start]) => action === start || action.startsWith(`${start}.`) || action.startsWith(`${start}-`),
  );
  return auditWords.say(fits.toSorted(([a], [b]) => b.length - a.length)[0]?.[1] ?? 'whyOtherwise');
}
