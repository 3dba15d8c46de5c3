import { checkReverse, type ReverseResult } from '../../../mail/iprev.ts';
import { type Asker, temporaryReason } from './ask.ts';
import { type Findings, found, nothingFound, together, unanswered } from './findings.ts';
import { refusals } from './refusals.ts';
import { plainText } from './texts.ts';

const SCORE = { none: 1.5, unconfirmed: 0.8, addressAndWord: 1.5, addressOrWord: 0.8 } as const;

/** Words in names of lines and pools, not of servers. */
const LINE_WORDS: ReadonlySet<string> = new Set(
  (
    'adsl broadband cable catv client clients cpe cust customer customers dhcp dial dialin dialup dsl dyn dynamic ' +
    'dynamicip fiber fibre ftth fttx gprs home hsd lte mobile nat pool pools ppp pppoe res residential unassigned ' +
    'user users vdsl wifi wimax wireless xdsl'
  ).split(' '),
);
/** Words in names of servers, or of lines that keep their address. */
const SERVER_WORDS: ReadonlySet<string> = new Set(
  'mail mailer mailout mout mta mx newsletter out outbound relay send sender smtp smtpout static'.split(' '),
);

/** Ask for the name of an address. Never rejects. */
export function askReverse(ask: Asker, ip: string): Promise<ReverseResult> {
  return ask((dns, signal) => checkReverse({ ip, dns, signal }));
}

/** What the name of an address says. */
export function reverseFindings(reverse: ReverseResult): Findings {
  const { result, ip, claimed } = reverse;
  if (result === 'temperror') return unanswered(`reverse name: ${temporaryReason(reverse.reason)}`);
  if (result === 'permerror') {
    return found({
      name: 'RDNS_NONE',
      score: SCORE.none,
      text: `The sending host ${ip} has no name in DNS`,
      lever: 'the sending host had a name in DNS (PTR)',
    });
  }
  const name = plainText(reverse.name ?? claimed[0] ?? '', 100);
  const generic = genericFindings(name, ip);
  if (result === 'pass') return generic;
  const unconfirmed = found({
    name: 'RDNS_UNCONFIRMED',
    score: SCORE.unconfirmed,
    text: `The sending host ${ip} claims the name ${name}, which does not lead back to it`,
    lever: 'the name of the sending host led back to its address',
  });
  return together(unconfirmed, generic);
}

function genericFindings(name: string, ip: string): Findings {
  const degree = genericDegree(name, ip);
  if (degree === 0) return nothingFound;
  return found({
    name: 'RDNS_GENERIC',
    score: degree === 2 ? SCORE.addressAndWord : SCORE.addressOrWord,
    text: `The name of the sending host, ${name}, is one that providers give to lines, not to mail servers`,
    lever: 'the sending host had a name of its own in DNS',
  });
}

/**
 * How much a name looks made up by a provider for one of many lines: 1 for the address in it or a word for lines, 2 for
 * both, 0 for neither or where it also says that it is a server.
 */
export function genericDegree(name: string, ip: string): 0 | 1 | 2 {
  const tokens = name
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((token) => token.replace(/^\d+/, '').replace(/\d+$/, ''));
  // The registered name itself says nothing: who owns mail.example may have lines too.
  const own = tokens.slice(0, -2);
  if (own.some((token) => SERVER_WORDS.has(token))) return 0;
  const word = own.some((token) => LINE_WORDS.has(token));
  const address = holdsAddress(name, ip);
  return word && address ? 2 : word || address ? 1 : 0;
}

/** Whether the last two octets of an IPv4 address, or all of them as eight hex digits, stand in a name. */
function holdsAddress(name: string, ip: string): boolean {
  const octets = ip.split('.').map(Number);
  if (octets.length !== 4) return false;
  const hex = octets.map((octet) => octet.toString(16).padStart(2, '0')).join('');
  if (name.toLowerCase().includes(hex)) return true;
  const numbers = (name.match(/\d{1,12}/g) ?? []).flatMap((run) =>
    // 192000002007 is 192.0.2.7 in a name without separators.
    run.length === 12 ? [0, 3, 6, 9].map((at) => Number(run.slice(at, at + 3))) : [Number(run)],
  );
  const [, , c, d] = octets;
  return numbers.some((number, i) => {
    const next = numbers[i + 1];
    return (number === c && next === d) || (number === d && next === c);
  });
}

/** Throw the refusal of a client without a confirmed name. */
export function refuseReverse(reverse: ReverseResult, ask: string): void {
  if (reverse.result === 'permerror') throw refusals.noReverseName(reverse.ip, ask);
  if (reverse.result === 'fail') {
    throw refusals.unconfirmedName(reverse.ip, plainText(reverse.claimed[0] ?? '', 100), ask);
  }
}
