import { isIP } from 'node:net';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { parseAddressLiteral } from '../../../mail/address/literal.ts';
import { canonicalAddress } from '../../../net/ip.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import type { Reason } from '../../spam/types.ts';
import { type Asker, temporaryReason } from './ask.ts';
import { type Findings, found, nothingFound, unanswered } from './findings.ts';
import { refusals } from './refusals.ts';
import { plainText } from './texts.ts';

const SCORE = { ours: 4, notFqdn: 1.5, bareAddress: 2, wrongLiteral: 2.5, literal: 0.7, unresolvable: 1.2 };

const SAY_YOUR_NAME = 'Say the full name of your server, one with an address in DNS (RFC 5321 section 2.3.5)';

/** What a HELO or EHLO name came to. */
export interface HelloResult {
  readonly findings: Findings;
  /** Normalized domain name that was said, for domain lists; undefined for literals and what is no name. */
  readonly domain: string | undefined;
  /** What to tell a client whose HELO is refused, where the site wants that. */
  readonly problem: { readonly what: string; readonly remedy: string } | undefined;
}

/** Who we are, so that a stranger who says our name is known. */
export interface OwnNames {
  readonly hostname: string;
  readonly isOurDomain: (domain: string) => Promise<boolean>;
}

/** Judge a HELO name. RFC 5321 4.1.4 wants no mail refused for it; a site may want otherwise. */
export async function checkHello(
  ask: Asker | undefined,
  helo: string,
  client: string,
  own: OwnNames,
): Promise<HelloResult> {
  const shown = plainText(helo, 100);
  if (helo.startsWith('[')) return literalResult(helo, shown, client);
  if (isIP(helo) !== 0) {
    return bad(
      { name: 'HELO_BARE_IP', score: SCORE.bareAddress },
      `The sending host called itself ${shown}: an address is no name, nor written as RFC 5321 wants it`,
      `You called yourself ${shown}, which is an address, not a name`,
    );
  }
  const domain = normalizeDomain(helo.replace(/\.$/, ''));
  if (domain === undefined || !domain.includes('.') || /(?:^|\.)localdomain$/.test(domain)) {
    return bad(
      { name: 'HELO_NOT_FQDN', score: SCORE.notFqdn },
      `The sending host called itself "${shown}", which is not the full name of a server`,
      `You called yourself "${shown}", which is not the full name of a server`,
      domain,
    );
  }
  if (domain === normalizeDomain(own.hostname) || (await own.isOurDomain(domain))) {
    return bad(
      { name: 'HELO_OURS', score: SCORE.ours },
      `The sending host called itself ${shown}, which is us`,
      `You called yourself ${shown}, which is us`,
      domain,
    );
  }
  return resolvable(ask, domain, shown);
}

function literalResult(helo: string, shown: string, client: string): HelloResult {
  const literal = parseAddressLiteral(helo);
  if (literal !== undefined && canonicalAddress(literal.ip) === client) {
    const text = `The sending host called itself by its address, ${shown}, and not by a name`;
    const lever = 'the sending host said its name';
    const findings = found({ name: 'HELO_IP_LITERAL', score: SCORE.literal, text, lever });
    return { findings, domain: undefined, problem: undefined };
  }
  return bad(
    { name: 'HELO_WRONG_LITERAL', score: SCORE.wrongLiteral },
    `The sending host called itself ${shown}, but its address is ${client}`,
    `You called yourself ${shown}, but your address is ${client}`,
  );
}

async function resolvable(ask: Asker | undefined, domain: string, shown: string): Promise<HelloResult> {
  const fine = { findings: nothingFound, domain, problem: undefined };
  if (ask === undefined) return fine;
  const addresses = await ask((dns, signal) => lookupAddresses(dns, domain, signal));
  if (addresses.status === 'ok') return fine;
  if (addresses.status === 'temporary') {
    return { ...fine, findings: unanswered(`HELO name: ${temporaryReason(addresses.reason)}`) };
  }
  return bad(
    { name: 'HELO_UNRESOLVABLE', score: SCORE.unresolvable },
    `The sending host called itself ${shown}, a name without an address in DNS`,
    `You called yourself ${shown}, a name without an address in DNS`,
    domain,
  );
}

function bad(
  reason: Pick<Reason, 'name' | 'score'>,
  text: string,
  what: string,
  domain?: string | undefined,
): HelloResult {
  const lever = 'the sending host said its own full name in HELO';
  return {
    findings: found({ ...reason, text, lever }),
    domain,
    problem: { what, remedy: SAY_YOUR_NAME },
  };
}

/** Throw the refusal of a client whose HELO is bad. */
export function refuseHello({ problem }: HelloResult, ask: string): void {
  if (problem !== undefined) throw refusals.badHello(problem.what, problem.remedy, ask);
}
