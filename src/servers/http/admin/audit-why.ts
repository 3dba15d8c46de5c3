/** Why an entry of the audit cannot be taken back, by what it begins with; the longest that fits. */
const WHY: readonly (readonly [action: string, why: string])[] = [
  ['audit.undo', 'What was done to take it back has an entry of its own, which may be taken back.'],
  ['account.add', 'Mail may have come to it; suspend or remove the account on its page.'],
  ['account.remove', 'It was removed for good, with its mail.'],
  ['account.restore', 'Remove the account again on its page, if that is what you want.'],
  ['account.password', 'The old password is kept nowhere; set another one.'],
  ['account.passkey', 'Keys are in the hands of their owner, who adds and removes them.'],
  ['account.totp', 'Its secret is with its owner, who switches it on and off.'],
  ['account.recovery-codes', 'The old codes are kept nowhere; the owner makes others.'],
  ['account.second-factor-reset', 'The old second factor is kept nowhere; the owner sets up another one.'],
  ['account.app-password', 'Passwords are kept nowhere; make or remove one.'],
  ['account.session', 'Whoever was signed out signs in again.'],
  ['account.grant', 'The owner of the account lets programs in, and ends that.'],
  ['account.undelete', 'The mail is where it was; delete it there.'],
  ['alias.restore', 'It was too large to keep how it was before.'],
  ['backup.restore', 'The mail is back; delete there what is not wanted.'],
  ['ban.lift', 'The ban had ended already.'],
  ['certificate', 'An authority has acted upon it; what it issued stays issued.'],
  ['dns.own', 'Records at the provider have been changed; "postern dns" changes them again.'],
  ['domain.add', 'Accounts and mail may be in it; remove the domain on its page.'],
  ['domain.remove', 'Its records and keys are gone; add the domain again.'],
  ['domain.dkim-key', 'Keys pass through their states in one direction; see the page of the domain.'],
  ['grant.add', 'It was there before; nothing was changed.'],
  ['hold', 'The mail has gone on since.'],
  ['invitation.add', 'Withdraw the invitation on its page.'],
  ['invitation.remove', 'Its secret is kept nowhere; invite the person again.'],
  ['mail', 'Mail was copied; delete what is not wanted.'],
  ['mailbox.rights', 'The owner of the folder gives and takes rights.'],
  ['masked', 'The owner of the address switches it on and off.'],
  ['queue', 'The mail has gone on since; hold, release or drop it in the queue.'],
  ['secret.keep', 'The old text is kept nowhere; put another one.'],
  ['server.annotate', 'The old text was not kept; write another one.'],
  ['sieve', 'The owner of the script changes it; older texts are not kept.'],
  ['vault', 'The message has been delivered or deleted.'],
];
const OTHERWISE = 'It was done before changes could be taken back, or was too large to keep how it was.';

export function whyNot(action: string): string {
  const fits = WHY.filter(
    ([start]) => action === start || action.startsWith(`${start}.`) || action.startsWith(`${start}-`),
  );
  return fits.toSorted(([a], [b]) => b.length - a.length)[0]?.[1] ?? OTHERWISE;
}
