/** What a report of others means for whoever runs the domain, in plain words. */

/** A source of mail in the name of a domain, as others counted it, with one of its rows. */
export interface SourceFacts {
  readonly domain: string;
  readonly ip: string;
  readonly messages: number;
  /** DKIM or SPF aligned; DKIM alone; SPF alone. */
  readonly passed: number;
  readonly dkim: number;
  readonly spf: number;
  /** Put into Junk or refused. */
  readonly blocked: number;
  /** The address is one of this host. */
  readonly isOurs: boolean;
  /** Domains with a passing DKIM signature, and with SPF passing, in a row that failed DMARC. */
  readonly signedBy: readonly string[];
  readonly sentBy: readonly string[];
  /** Types of reasons for an exception ("mailing_list", "forwarded"). */
  readonly reasons: readonly string[];
}

export type SourceVerdict =
  /** All passes, by both. */
  | 'fine'
  /** Passes by one of the two alone. */
  | 'signature-only'
  | 'spf-only'
  /** Our own host fails. */
  | 'own-host'
  /** Some of it passes. */
  | 'mixed'
  | 'forwarded'
  /** Somebody known sends it, under another name. */
  | 'service'
  | 'unknown';

export interface Advice {
  readonly verdict: SourceVerdict;
  /** One or two sentences: what it is, and what to do. */
  readonly text: string;
}

const FORWARDED: ReadonlySet<string> = new Set(['forwarded', 'mailing_list', 'trusted_forwarder']);

/** What to think of a source, and what to do. Texts repeat what reports say: show them as untrusted. */
export function sourceAdvice(facts: SourceFacts): Advice {
  return facts.passed >= facts.messages ? passingAdvice(facts) : failingAdvice(facts);
}

function passingAdvice({ domain, ip, messages, dkim, spf }: SourceFacts): Advice {
  if (spf === 0) {
    return {
      verdict: 'signature-only',
      text: `Passes by its signature alone: forwarded mail, or a sender of yours that is missing from the SPF record of ${domain} (ip ${ip}).`,
    };
  }
  if (dkim === 0) {
    return {
      verdict: 'spf-only',
      text: `Passes by SPF alone and would fail when somebody forwards it: sign what ${ip} sends (DKIM) as ${domain}.`,
    };
  }
  if (dkim < messages || spf < messages)
    return { verdict: 'fine', text: 'Passes, some of it by its signature or by SPF alone.' };
  return { verdict: 'fine', text: 'Passes, signed and in SPF.' };
}

function failingAdvice(facts: SourceFacts): Advice {
  const { domain, ip, messages, passed, isOurs, reasons } = facts;
  const failed = messages - passed;
  const lost = lostWords(facts);
  if (isOurs) {
    return {
      verdict: 'own-host',
      text: `This is your own mail host, and ${failed} of its ${messages} messages failed.${lost} Compare the SPF and DKIM records of ${domain} with "postern domain records ${domain}".`,
    };
  }
  if (reasons.some((reason) => FORWARDED.has(reason))) {
    return {
      verdict: 'forwarded',
      text: `Forwarded or through a mailing list, and known as that where it arrived: ${failed} failed.${lost} Nothing to do.`,
    };
  }
  if (passed > 0) {
    return {
      verdict: 'mixed',
      text: `${failed} of ${messages} failed, the others are yours.${lost} Some of it is not signed, or was changed on its way: look at what ${ip} sends and at lists it passes.`,
    };
  }
  const other = [...facts.signedBy, ...facts.sentBy].find((name) => !isBelow(name, domain));
  if (other !== undefined) {
    return {
      verdict: 'service',
      text: `Failed ${failed} times; it was really sent by ${other}.${lost} If that is a service of yours, have it sign as ${domain}; if it is a mailing list, nothing to do; else somebody uses your name.`,
    };
  }
  return {
    verdict: 'unknown',
    text: `Unknown source ${ip} failed ${failed} times: somebody sends in your name, or a service of yours is not in the SPF record of ${domain} and does not sign.${lost}`,
  };
}

function lostWords({ blocked, messages, passed }: SourceFacts): string {
  if (blocked === 0) return '';
  return blocked >= messages - passed
    ? ' All of it was refused or put into Junk.'
    : ` ${blocked} of these were refused or put into Junk.`;
}

function isBelow(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

/** What each failure of RFC 8460 section 4.3 means for the host it is about. */
const TLS_MEANING: Readonly<Record<string, string>> = {
  'starttls-not-supported':
    'did not offer encryption (STARTTLS): mail came in clear or not at all. Is its certificate loaded?',
  'certificate-host-mismatch': 'showed a certificate for another name.',
  'certificate-expired': 'showed a certificate that has ended: renew it.',
  'certificate-not-trusted': 'showed a certificate of an authority that is not known, or its own.',
  'validation-failure':
    'could not agree on an encrypted connection, for a reason that has no name of its own.',
  'tlsa-invalid':
    'has a certificate that its TLSA records (DANE) do not name: they have to change before it does.',
  'dnssec-invalid': 'has DNS records whose signatures (DNSSEC) do not hold.',
  'dane-required': 'has no TLSA records (DANE), which the sender insists on.',
  'sts-policy-fetch-error': 'has an MTA-STS policy that could not be fetched: is https://mta-sts.DOMAIN up?',
  'sts-policy-invalid': 'has an MTA-STS policy that cannot be read.',
  'sts-webpki-invalid': 'has an MTA-STS policy host with a bad certificate.',
};

export function tlsMeaning(resultType: string): string {
  return Object.hasOwn(TLS_MEANING, resultType)
    ? (TLS_MEANING[resultType] ?? '')
    : 'failed for a reason that is not a standard one.';
}
