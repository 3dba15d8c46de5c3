/**
 * The DNS records that SES needs of a domain. One list for the outputs of the template, where region and subdomain are
 * "${AWS::Region}" and "${MailFromSubDomain}", and for `postern ses status`, where they are known.
 */
export interface SesRecord {
  readonly kind: 'mx' | 'own-mx' | 'dkim' | 'mail-from-mx' | 'mail-from-spf' | 'spf' | 'dmarc';
  /** Output of the template that shows it, without the id of the domain. */
  readonly output: string;
  readonly name: string;
  readonly type: 'MX' | 'CNAME' | 'TXT';
  /** As in a zone file; text without quotes. */
  readonly value: string;
  /** One sentence: what the record is for. */
  readonly why: string;
}

export interface SesRecordFacts {
  readonly domain: string;
  readonly region: string;
  /** Whole name of the domain of envelope senders; undefined is off. */
  readonly mailFrom: string | undefined;
  /** Name and target of the three DKIM records. */
  readonly dkim: readonly (readonly [name: string, value: string])[];
  /** Of the MX record that leads to SES; undefined: SES does not receive. */
  readonly mxPreference?: number | undefined;
  /** Our own host, when it receives or sends directly as well. */
  readonly host?: string | undefined;
}

/** Preference of our own host when SES is the backup. */
const OWN_PREFERENCE = 10;

export function sesRecords(facts: SesRecordFacts): SesRecord[] {
  return [...mx(facts), ...dkim(facts), ...mailFrom(facts), ...policies(facts)];
}

function mx({ domain, region, mxPreference, host }: SesRecordFacts): SesRecord[] {
  if (mxPreference === undefined) return [];
  const backup = host !== undefined && mxPreference > OWN_PREFERENCE;
  const records: SesRecord[] = [
    {
      kind: 'mx',
      output: 'MailReceivingMxDnsRecord',
      name: domain,
      type: 'MX',
      value: `${mxPreference} inbound-smtp.${region}.amazonaws.com`,
      why: backup
        ? 'SES receives mail of the domain while our host does not answer.'
        : 'SES receives mail of the domain.',
    },
  ];
  if (backup)
    records.unshift({
      kind: 'own-mx',
      output: 'MailReceivingOwnMxDnsRecord',
      name: domain,
      type: 'MX',
      value: `${OWN_PREFERENCE} ${host}`,
      why: 'Our own host receives mail of the domain first.',
    });
  return records;
}

function dkim({ dkim: tokens }: SesRecordFacts): SesRecord[] {
  return tokens.map(([name, value], i) => ({
    kind: 'dkim',
    output: `DkimCnameDnsRecord${i + 1}`,
    name,
    type: 'CNAME',
    value,
    why: 'Proves to SES that the domain is yours, and leads to the key that verifies its signatures.',
  }));
}

function mailFrom({ mailFrom: name, region }: SesRecordFacts): SesRecord[] {
  if (name === undefined) return [];
  return [
    {
      kind: 'mail-from-mx',
      output: 'CustomMailFromMxDnsRecord',
      name,
      type: 'MX',
      value: `10 feedback-smtp.${region}.amazonses.com`,
      why: 'Bounces of mail that SES sent go back to SES, which tells us.',
    },
    {
      kind: 'mail-from-spf',
      output: 'CustomMailFromSpfDnsRecord',
      name,
      type: 'TXT',
      value: 'v=spf1 include:amazonses.com ~all',
      why: 'SES may send with this envelope sender (SPF).',
    },
  ];
}

function policies({ domain, host }: SesRecordFacts): SesRecord[] {
  const own = host === undefined ? '' : `a:${host} `;
  return [
    {
      kind: 'spf',
      output: 'SpfDnsRecord',
      name: domain,
      type: 'TXT',
      value: `v=spf1 ${own}include:amazonses.com ~all`,
      why: 'Who may send mail of the domain (SPF). A domain has one such record: add to yours if there is one.',
    },
    {
      kind: 'dmarc',
      output: 'DmarcDnsRecord',
      name: `_dmarc.${domain}`,
      type: 'TXT',
      value: `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`,
      why: 'Asks others to report mail that claims your domain (DMARC); raise p once the reports show only yours.',
    },
  ];
}

/** "name TYPE answer", as today's stacks put it; text in quotes. */
export function recordLine({ name, type, value }: Pick<SesRecord, 'name' | 'type' | 'value'>): string {
  return `${name} ${type} ${type === 'TXT' ? `"${value}"` : value}`;
}
