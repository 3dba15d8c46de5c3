import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { type Asker, temporaryReason } from './ask.ts';
import { type Findings, found, nothingFound, unanswered } from './findings.ts';
import { refusals } from './refusals.ts';
import { plainText } from './texts.ts';

const SCORE = { unknown: 3, noMail: 2, nullMx: 2.5, literal: 1.5 } as const;

/** Whether anybody could answer to a sender's domain (RFC 5321 section 5.1). */
export type SenderDomain =
  | { readonly status: 'ok' }
  /** An address literal: there is nothing to ask. */
  | { readonly status: 'literal' }
  | { readonly status: 'unknown' }
  /** It exists without any of MX, A, AAAA. */
  | { readonly status: 'no-mail' }
  /** RFC 7505: it says that it takes no mail. */
  | { readonly status: 'null-mx' }
  | { readonly status: 'temporary'; readonly reason: string };

/** Ask whether a domain (A-labels, lower case, or a literal in brackets) takes mail. */
export async function askSenderDomain(ask: Asker, domain: string): Promise<SenderDomain> {
  if (domain.startsWith('[')) return { status: 'literal' };
  return ask(async (dns, signal): Promise<SenderDomain> => {
    const mx = await dns.query(domain, 'MX', signal);
    if (mx.status === 'temporary') return { status: 'temporary', reason: temporaryReason(mx.reason) };
    if (mx.status === 'nxdomain') return { status: 'unknown' };
    if (mx.status === 'ok') {
      // RFC 7505 section 3: the null MX stands alone; beside others it means nothing.
      const nullMx = mx.records.every(({ exchange }) => exchange === '');
      return { status: nullMx ? 'null-mx' : 'ok' };
    }
    const addresses = await lookupAddresses(dns, domain, signal);
    if (addresses.status === 'temporary') {
      return { status: 'temporary', reason: temporaryReason(addresses.reason) };
    }
    return { status: addresses.status === 'ok' ? 'ok' : 'no-mail' };
  });
}

/** What a sender's domain says. */
export function senderDomainFindings(domain: string, sender: SenderDomain): Findings {
  const shown = plainText(domain, 150);
  const lever = "the sender's domain took mail";
  switch (sender.status) {
    case 'ok':
      return nothingFound;
    case 'temporary':
      return unanswered(`sender's domain: ${sender.reason}`);
    case 'literal': {
      const text = `The sender's address has ${shown} in the place of a domain`;
      return found({ name: 'SENDER_LITERAL', score: SCORE.literal, text, lever });
    }
    case 'unknown': {
      const text = `The sender's domain ${shown} does not exist`;
      return found({ name: 'SENDER_DOMAIN_UNKNOWN', score: SCORE.unknown, text, lever });
    }
    case 'no-mail': {
      const text = `The sender's domain ${shown} has no mail server`;
      return found({ name: 'SENDER_NO_MAIL', score: SCORE.noMail, text, lever });
    }
    case 'null-mx': {
      const text = `The sender's domain ${shown} says that it takes no mail (null MX)`;
      return found({ name: 'SENDER_NULL_MX', score: SCORE.nullMx, text, lever });
    }
  }
}

/**
 * Throw the refusal of a sender nobody could answer to. No answer at all is no reason: with a dead resolver mail flows.
 * A resolver that says SERVFAIL is alive, and the domain's own servers are not.
 */
export function refuseSenderDomain(domain: string, sender: SenderDomain, ask: string): void {
  const shown = plainText(domain, 150);
  if (sender.status === 'unknown') throw refusals.unknownSenderDomain(shown, ask);
  if (sender.status === 'no-mail') throw refusals.mailLessSenderDomain(shown, ask);
  if (sender.status === 'null-mx') throw refusals.nullMxSender(shown, ask);
  if (sender.status === 'temporary' && sender.reason.startsWith('SERVFAIL')) {
    throw refusals.uncheckedSenderDomain(shown, 'SERVFAIL');
  }
}
