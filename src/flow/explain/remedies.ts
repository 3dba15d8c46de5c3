import { adviceFor } from '../../mail/dsn/advice.ts';
import { type Facts, givenUpHere, type Remedy, triedLogin, typeable } from './facts.ts';
import { filterRemedies } from './filter-remedies.ts';
import { gateRemedies } from './gate-remedies.ts';

/** What we refused. In order: the first that fits is said. */
const OURS: readonly Remedy[] = [
  ...filterRemedies,
  ...gateRemedies,
  {
    words: /no such recipient|Not an address of ours/,
    say: (facts) =>
      `If the address should exist, make it: postern account add ${recipient(facts)}, or postern alias add ${recipient(facts)} TARGET.`,
  },
  {
    words: /lookup table cannot be read/,
    say: () =>
      '"postern lookup check" says which table and why; the sender tries again, so nothing is lost when it is mended soon.',
  },
  {
    words: /we do not relay/,
    say: (facts) =>
      `We take mail for our own domains only. If ${domainOf(recipient(facts))} should be one: postern domain add ${domainOf(recipient(facts))}. If it was a user of ours, their mail program has to sign in and use port 465 or 587.`,
  },
  {
    words: /4\.2\.2|mailbox is full/i,
    say: (facts) => `Delete mail there, or allow more: postern account quota ${recipient(facts)} 5G.`,
  },
  {
    words: /alias leads back|Mail loop/,
    say: () =>
      'Addresses forward to each other in a circle: look through "postern alias list", here and at the other end.',
  },
  {
    words: /is not an address of the account/,
    say: (facts) =>
      `If the account may use that address: postern account grant ${facts.text('login') || 'ACCOUNT'} ADDRESS (or, where a lookup table decides, a rule there).`,
  },
  {
    words: /in an hour; try again/,
    say: (facts) =>
      `The limit protects against stolen passwords. If this was not the person: postern account suspend ${facts.text('login') || 'ACCOUNT'}. If it was, wait, or raise the limit in postern.toml.`,
  },
  {
    words: /Too many failed logins from|are closed until/,
    say: () =>
      'See "postern ban list". If it is one of yours: postern ban lift with what is listed there; for a network of yours: postern ban exempt add NETWORK.',
  },
  {
    words: /Too many failed logins to this account/,
    say: (facts) =>
      `Somebody guesses at the password from many places; places the account knows are not affected. To let new ones in at once: postern ban lift ${typeable(triedLogin(facts))}.`,
  },
  {
    words: /account is suspended/,
    say: (facts) => `Let it in again: postern account resume ${typeable(triedLogin(facts))}.`,
  },
  {
    words: /5\.7\.8|password is wrong|wrong password|unknown login|no such (login|account)/,
    say: (facts) =>
      typeable(triedLogin(facts)) !== 'ADDRESS'
        ? `If it was the person, set a new password: postern account passwd ${triedLogin(facts)}. If not, somebody is guessing, and was refused.`
        : 'Sign in with the whole e-mail address. If nobody of yours did this, somebody is guessing, and was refused.',
  },
  {
    words: /STARTTLS command first|needs a TLS session/,
    say: () => 'Turn encryption on in the mail program (STARTTLS on port 587, or TLS on port 465).',
  },
  {
    words: /Authentication required|MAIL before login/,
    say: () => 'Turn authentication on in the mail program: the whole e-mail address and its password.',
  },
  {
    words: /larger than|too large|5\.3\.4/i,
    say: () =>
      'The limit is in postern.toml (limits); most other servers take no more than 25 to 50 MB either.',
  },
  {
    words: /4\.3\.1|disk space/,
    say: () => 'Make room on the disk: "postern status" tells how much is free.',
  },
  {
    words: /Too many (connections|sessions)|too many from/i,
    say: () =>
      'Senders come back by themselves. If a network of yours meets this limit, raise it in postern.toml.',
  },
  {
    words: /speaks HTTP|talked before the greeting|bytes in clear behind STARTTLS|sent behind a refused DATA/,
    say: () => 'No mail server does this: it was a scanner or a spam program. There is nothing to do.',
  },
  {
    words: /RFC 5321 section|NUL octet|fault: |5\.5\.2/,
    say: () =>
      'The sending program breaks the rules of SMTP in a way that cannot be let through; its maker has to mend it.',
  },
  {
    words: /TLS|handshake|certificate/,
    say: () =>
      'The two sides found no common encryption, or the client did not like the certificate: see "postern status".',
  },
  {
    words: /timeout|no command|no answer|closed|for \d+ s/i,
    say: () => 'The other side went silent. It will come back if it has something to say.',
  },
  {
    words: /4\.3\.0/,
    say: () => 'This was a failure of ours: the log of the server has the details at this time.',
  },
];

/** What a remote host refused, or why it was not reached. Rows before the general advice by code. */
const THEIRS: readonly Remedy[] = [
  {
    words: / is on the suppression list since /,
    say: (facts) =>
      `Nothing was sent, so as not to spoil our name. When the address works again: postern suppression remove ${typeable(facts.list('to')[0] ?? '')}`,
  },
  {
    words: /grey ?list|try again later|4\.7\.1 .*later/i,
    say: () => 'Usual at a first contact (greylisting): the next attempt will most likely pass.',
  },
  {
    words: /SPF|DKIM|DMARC|5\.7\.2[0-9]|PTR|reverse DNS|rDNS/i,
    say: () => 'Compare what your DNS says with what it should say: postern domain records DOMAIN.',
  },
  {
    words: /block ?list|black ?list|blocked using|spamhaus|barracuda|spamcop|reputation|listed|\b[dr]nsbl\b/i,
    say: () =>
      'Our address is on a list of senders of spam: see what the reply links to, mend the cause, ask to be taken off.',
  },
  {
    words: /certificate|TLS handshake|no common encryption/i,
    say: () =>
      'Encryption was required, and the other side has no certificate that holds for its name: its administrator (or, for a relay, relay.host in postern.toml) has to mend that.',
  },
  {
    words: /4\.4\.1|could not be reached|ECONNREFUSED|ETIMEDOUT|timed out|no answer/i,
    say: () =>
      'If this happens with every domain, your provider blocks outgoing port 25: ask for it to be opened, or send through a relay.',
  },
  {
    words: /No DNS resolver is configured/,
    say: () =>
      'This server asks no DNS, as in the try-out: it can send through a relay only (--relay HOST:PORT).',
  },
  {
    words: /4\.4\.3/,
    say: () => 'The name server did not answer: check /etc/resolv.conf on this machine.',
  },
  {
    words: /does not exist|5\.1\.2|5\.4\.4/,
    say: () => 'Check the part after the @ for typing errors.',
  },
  {
    words: /5\.1\.1|user unknown|no such user|unknown recipient/i,
    say: () => 'The address does not exist there: check it for typing errors.',
  },
];

/** What to do about a refusal of ours; '' when nothing useful is known. */
export function remedyForOurs(facts: Facts): string {
  return find(OURS, facts)?.say(facts) ?? '';
}

/** What to do about what another host said. */
export function remedyForTheirs(facts: Facts, action: 'failed' | 'delayed'): string {
  if (givenUpHere(facts)) return '';
  const known = find(THEIRS, facts);
  if (known !== undefined) return known.say(facts);
  const status = /^\d{3} (\d\.\d{1,3}\.\d{1,3})/.exec(facts.text('reply'))?.[1];
  return status === undefined ? '' : adviceFor(status, action);
}

function find(table: readonly Remedy[], facts: Facts): Remedy | undefined {
  const text = `${facts.text('reply')} ${facts.text('reason')}`;
  return table.find(({ words }) => words.test(text));
}

/** The recipient an event is about, for a command line. */
function recipient(facts: Facts): string {
  return typeable(facts.list('to')[0] ?? '');
}

function domainOf(address: string): string {
  return address === 'ADDRESS' ? 'the domain' : address.slice(address.lastIndexOf('@') + 1);
}
