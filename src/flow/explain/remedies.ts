import { adviceWords } from './advice.ts';
import { type Facts, givenUpHere, type Remedy, triedLogin, typeable } from './facts.ts';
import { filterRemedies } from './filter-remedies.ts';
import { gateRemedies } from './gate-remedies.ts';
import { type Arg, remedy, type Said } from './say.ts';

/** What we refused. In order: the first that fits is said. */
const OURS: readonly Remedy[] = [
  ...filterRemedies,
  ...gateRemedies,
  {
    words: /no such recipient|Not an address of ours/,
    say: (facts) => [remedy('makeAddress', { address: recipient(facts) })],
  },
  { words: /lookup table cannot be read/, say: () => [remedy('lookupCheck')] },
  {
    words: /we do not relay/,
    say: (facts) => [remedy('noRelay', { domain: domainOf(recipient(facts)) })],
  },
  {
    words: /4\.2\.2|mailbox is full/i,
    say: (facts) => [remedy('mailboxFull', { address: recipient(facts) })],
  },
  { words: /alias leads back|Mail loop/, say: () => [remedy('aliasLoop')] },
  {
    words: /is not an address of the account/,
    say: (facts) => [remedy('grantAddress', { login: facts.text('login') || 'ACCOUNT' })],
  },
  {
    words: /in an hour; try again/,
    say: (facts) => [remedy('sendLimit', { login: facts.text('login') || 'ACCOUNT' })],
  },
  { words: /Too many failed logins from|are closed until/, say: () => [remedy('banned')] },
  {
    words: /Too many failed logins to this account/,
    say: (facts) => [remedy('bannedAccount', { login: typeable(triedLogin(facts)) })],
  },
  {
    words: /account is suspended/,
    say: (facts) => [remedy('suspended', { login: typeable(triedLogin(facts)) })],
  },
  {
    words: /5\.7\.8|password is wrong|wrong password|unknown login|no such (login|account)/,
    say: (facts) =>
      typeable(triedLogin(facts)) === 'ADDRESS'
        ? [remedy('wholeAddress')]
        : [remedy('newPassword', { login: triedLogin(facts) })],
  },
  { words: /STARTTLS command first|needs a TLS session/, say: () => [remedy('turnTlsOn')] },
  { words: /Authentication required|MAIL before login/, say: () => [remedy('turnAuthOn')] },
  { words: /larger than|too large|5\.3\.4/i, say: () => [remedy('tooLarge')] },
  { words: /4\.3\.1|disk space/, say: () => [remedy('makeRoom')] },
  { words: /Too many (connections|sessions)|too many from/i, say: () => [remedy('tooMany')] },
  {
    words: /speaks HTTP|talked before the greeting|bytes in clear behind STARTTLS|sent behind a refused DATA/,
    say: () => [remedy('scanner')],
  },
  { words: /RFC 5321 section|NUL octet|fault: |5\.5\.2/, say: () => [remedy('brokenProgram')] },
  { words: /TLS|handshake|certificate/, say: () => [remedy('noCommonTls')] },
  { words: /timeout|no command|no answer|closed|for \d+ s/i, say: () => [remedy('silent')] },
  { words: /4\.3\.0/, say: () => [remedy('ourFailure')] },
];

/** What a remote host refused, or why it was not reached. Rows before the general advice by code. */
const THEIRS: readonly Remedy[] = [
  {
    words: / is on the suppression list since /,
    say: (facts) => [remedy('onSuppression', { address: typeable(facts.list('to')[0] ?? '') })],
  },
  { words: /grey ?list|try again later|4\.7\.1 .*later/i, say: () => [remedy('theirGreylist')] },
  { words: /SPF|DKIM|DMARC|5\.7\.2[0-9]|PTR|reverse DNS|rDNS/i, say: () => [remedy('ourDns')] },
  {
    words: /block ?list|black ?list|blocked using|spamhaus|barracuda|spamcop|reputation|listed|\b[dr]nsbl\b/i,
    say: () => [remedy('weAreListed')],
  },
  { words: /certificate|TLS handshake|no common encryption/i, say: () => [remedy('theirCertificate')] },
  {
    words: /4\.4\.1|could not be reached|ECONNREFUSED|ETIMEDOUT|timed out|no answer/i,
    say: () => [remedy('port25')],
  },
  { words: /No DNS resolver is configured/, say: () => [remedy('noDns')] },
  { words: /4\.4\.3/, say: () => [remedy('resolver')] },
  { words: /does not exist|5\.1\.2|5\.4\.4/, say: () => [remedy('domainTypo')] },
  { words: /5\.1\.1|user unknown|no such user|unknown recipient/i, say: () => [remedy('addressTypo')] },
];

/** What to do about a refusal of ours; nothing when nothing useful is known. */
export function remedyForOurs(facts: Facts): readonly Said[] {
  return find(OURS, facts)?.say(facts) ?? [];
}

/** What to do about what another host said. */
export function remedyForTheirs(facts: Facts, action: 'failed' | 'delayed'): readonly Said[] {
  if (givenUpHere(facts)) return [];
  const known = find(THEIRS, facts);
  if (known !== undefined) return known.say(facts);
  const status = /^\d{3} (\d\.\d{1,3}\.\d{1,3})/.exec(facts.text('reply'))?.[1];
  return status === undefined ? [] : adviceWords(status, action);
}

function find(table: readonly Remedy[], facts: Facts): Remedy | undefined {
  const text = `${facts.text('reply')} ${facts.text('reason')}`;
  return table.find(({ words }) => words.test(text));
}

/** The recipient an event is about, for a command line. */
function recipient(facts: Facts): string {
  return typeable(facts.list('to')[0] ?? '');
}

function domainOf(address: string): Arg {
  return address === 'ADDRESS' ? remedy('theDomain') : address.slice(address.lastIndexOf('@') + 1);
}
