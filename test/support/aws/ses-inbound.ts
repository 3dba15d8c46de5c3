import { randomBytes } from 'node:crypto';
import type { Core } from './internal.ts';
import {
  addressesIn,
  commonHeaders,
  fieldOf,
  inboundMessageId,
  listedHeaders,
  mailDate,
  type ParsedMessage,
  parseMessage,
} from './ses-message.ts';
import type { Sns } from './sns.ts';
import type { ReceiptRule, S3Control, SesControl, SesInbound, SesReceived, SesVerdict } from './types.ts';

export interface Inbound {
  readonly rules: ReceiptRule[];
  /** The rule set that is active. */
  readonly active: { name: string | undefined };
  readonly control: Pick<SesControl, 'createReceiptRule' | 'receive' | 'setupNotification'>;
}

/** The rule set of rules that name none. */
const RULE_SET = 'default-rule-set';

/** SES receives messages up to 40 MB, its own header fields included. */
const MAX_OCTETS = 40 * 1024 * 1024;

export function createInbound(core: Core, parts: { sns: Sns; s3: S3Control }): Inbound {
  const rules: ReceiptRule[] = [];
  const active: Inbound['active'] = { name: undefined };
  const inForce = (): ReceiptRule[] =>
    rules.filter((rule) => (rule.ruleSet ?? RULE_SET) === active.name && rule.enabled !== false);
  const control: Inbound['control'] = {
    createReceiptRule(rule) {
      rules.push(rule);
      active.name ??= rule.ruleSet ?? RULE_SET;
      parts.s3.createBucket(rule.bucket);
    },
    receive(inbound) {
      const chosen = inForce().find((rule) =>
        inbound.rule === undefined
          ? inbound.recipients.some((address) => matches(rule, address))
          : rule.name === inbound.rule,
      );
      if (chosen === undefined) {
        throw new Error(
          `550 5.1.1 Requested action not taken: mailbox unavailable (${inbound.recipients.join(', ')})`,
        );
      }
      return take(core, parts, chosen, inbound);
    },
    setupNotification(name) {
      const rule = name === undefined ? rules[0] : rules.find((each) => each.name === name);
      if (rule === undefined) throw new Error('There is no receipt rule');
      const key = `${rule.prefix ?? ''}AMAZON_SES_SETUP_NOTIFICATION`;
      parts.s3.put(rule.bucket, key, setupMessage(core, rule));
    },
  };
  return { rules, active, control };
}

/** What a rule's recipients cover: an address, a domain, and with a dot in front its subdomains. */
function matches(rule: ReceiptRule, address: string): boolean {
  const lower = address.toLowerCase();
  const domain = lower.slice(lower.lastIndexOf('@') + 1);
  const wanted = rule.recipients ?? [];
  return (
    wanted.length === 0 ||
    wanted.some((each) => {
      const name = each.toLowerCase();
      if (name.startsWith('.')) return domain.endsWith(name);
      return name.includes('@') ? name === lower : name === domain;
    })
  );
}

function take(
  core: Core,
  parts: { sns: Sns; s3: S3Control },
  rule: ReceiptRule,
  inbound: SesInbound,
): SesReceived {
  const raw = Buffer.from(inbound.raw as Buffer);
  const recipients = inbound.recipients.filter(
    (address) => inbound.rule !== undefined || matches(rule, address),
  );
  const messageId = inboundMessageId();
  const now = Date.now();
  const original = parseMessage(raw);
  const facts = factsOf(inbound, rule, original);
  const fields = sesFields(core, facts, { messageId, now, recipient: recipients[0] ?? '' });
  const object = Buffer.concat([Buffer.from(fields, 'latin1'), raw]);
  if (object.length > MAX_OCTETS) throw new Error('552 5.3.4 Message is too long');
  const key = `${rule.prefix ?? ''}${messageId}`;
  if (inbound.store !== false) parts.s3.put(rule.bucket, key, object);
  const notification = JSON.stringify(
    notificationOf(facts, parseMessage(object), { rule, recipients, inbound, messageId, key, now }),
  );
  const tell = inbound.notify !== false && rule.topicArn !== undefined;
  const snsMessageId = tell
    ? parts.sns.publish(rule.topicArn ?? '', notification, 'Amazon SES Email Receipt Notification')
    : undefined;
  return { messageId, bucket: rule.bucket, key, object, notification, snsMessageId };
}

interface Facts {
  readonly from: string;
  readonly fromDomain: string;
  readonly clientAddress: string;
  readonly clientName: string;
  readonly helo: string;
  readonly verdicts: Readonly<Record<'spam' | 'virus' | 'spf' | 'dkim' | 'dmarc', SesVerdict>>;
  readonly dmarcPolicy: string | undefined;
}

function factsOf(inbound: SesInbound, rule: ReceiptRule, message: ParsedMessage): Facts {
  const author = addressesIn(fieldOf(message, 'From') ?? '')[0] ?? '';
  const clientName = inbound.clientName ?? 'mail.example.net';
  const scanned = rule.scan === false ? 'DISABLED' : 'PASS';
  const dmarc = inbound.dmarcVerdict ?? 'PASS';
  return {
    from: inbound.mailFrom ?? author,
    fromDomain: author.slice(author.lastIndexOf('@') + 1),
    clientAddress: inbound.clientAddress ?? '192.0.2.25',
    clientName,
    helo: inbound.helo ?? clientName,
    verdicts: {
      spam: inbound.spamVerdict ?? scanned,
      virus: inbound.virusVerdict ?? scanned,
      spf: inbound.spfVerdict ?? 'PASS',
      dkim: inbound.dkimVerdict ?? 'PASS',
      dmarc,
    },
    dmarcPolicy: dmarc === 'FAIL' ? (inbound.dmarcPolicy ?? 'none') : undefined,
  };
}

const RESULT: Readonly<Record<SesVerdict, string>> = {
  PASS: 'pass',
  FAIL: 'fail',
  GRAY: 'none',
  PROCESSING_FAILED: 'temperror',
  DISABLED: 'none',
};

/** The header fields that SES puts in front of what it received. */
function sesFields(
  core: Core,
  facts: Facts,
  more: { messageId: string; now: number; recipient: string },
): string {
  const domain = facts.from.slice(facts.from.lastIndexOf('@') + 1);
  const spf = RESULT[facts.verdicts.spf];
  const designates = spf === 'pass' ? 'designates' : 'does not designate';
  const about =
    facts.from === ''
      ? `(spfCheck: ${facts.clientAddress} is neither permitted nor denied by domain of ${facts.helo})`
      : `(spfCheck: domain of ${domain} ${designates} ${facts.clientAddress} as permitted sender)`;
  const spfFacts = `client-ip=${facts.clientAddress}; envelope-from=${facts.from}; helo=${facts.helo};`;
  const seconds = Math.floor(more.now / 1000);
  const scanned = facts.verdicts.spam !== 'DISABLED';
  const lines = [
    `Return-Path: <${facts.from}>`,
    `Received: from ${facts.helo} (${facts.clientName} [${facts.clientAddress}])`,
    ` by inbound-smtp.${core.region}.amazonaws.com with SMTP id ${more.messageId}`,
    ` for ${more.recipient};`,
    ` ${mailDate(more.now)} (UTC)`,
    ...(scanned
      ? [`X-SES-Spam-Verdict: ${facts.verdicts.spam}`, `X-SES-Virus-Verdict: ${facts.verdicts.virus}`]
      : []),
    `Received-SPF: ${spf} ${about} ${spfFacts}`,
    'Authentication-Results: amazonses.com;',
    ` spf=${spf} ${about} ${spfFacts}`,
    ` dkim=${RESULT[facts.verdicts.dkim]}${facts.verdicts.dkim === 'GRAY' ? '' : ` header.i=@${facts.fromDomain}`};`,
    ` dmarc=${RESULT[facts.verdicts.dmarc]}${facts.dmarcPolicy === undefined ? '' : ` (p=${facts.dmarcPolicy})`} header.from=${facts.fromDomain};`,
    `X-SES-RECEIPT: ${randomBytes(120).toString('base64')}`,
    `X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b=${randomBytes(128).toString('base64')}; c=relaxed/simple; s=uku4taia5b5tsbglxyj6zym32efj7xqv; d=amazonses.com; t=${seconds}; v=1; bh=${randomBytes(32).toString('base64')}; h=From:To:Cc:Bcc:Subject:Date:Message-ID:MIME-Version:Content-Type:X-SES-RECEIPT;`,
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** The "Received" notification of an S3 action. */
function notificationOf(
  facts: Facts,
  message: ParsedMessage,
  more: {
    rule: ReceiptRule;
    recipients: readonly string[];
    inbound: SesInbound;
    messageId: string;
    key: string;
    now: number;
  },
): Record<string, unknown> {
  const { rule } = more;
  const timestamp = new Date(more.now).toISOString();
  const verdict = (name: keyof Facts['verdicts']): { status: SesVerdict } => ({
    status: facts.verdicts[name],
  });
  return {
    notificationType: 'Received',
    mail: {
      timestamp,
      source: facts.from,
      messageId: more.messageId,
      destination: more.inbound.recipients,
      ...listedHeaders(message),
      commonHeaders: commonHeaders(message, more.messageId),
    },
    receipt: {
      timestamp,
      processingTimeMillis: 523,
      recipients: more.recipients,
      spamVerdict: verdict('spam'),
      virusVerdict: verdict('virus'),
      spfVerdict: verdict('spf'),
      dkimVerdict: verdict('dkim'),
      dmarcVerdict: verdict('dmarc'),
      ...(facts.dmarcPolicy === undefined ? {} : { dmarcPolicy: facts.dmarcPolicy }),
      action: {
        type: 'S3',
        ...(rule.topicArn === undefined ? {} : { topicArn: rule.topicArn }),
        bucketName: rule.bucket,
        ...(rule.prefix === undefined ? {} : { objectKeyPrefix: rule.prefix }),
        objectKey: more.key,
      },
    },
  };
}

function setupMessage(core: Core, rule: ReceiptRule): string {
  return [
    `From: Amazon Web Services <no-reply-aws@amazon.com>`,
    `To: ${core.accountId}`,
    'Subject: Amazon SES Email Receiving Setup Notification',
    `Date: ${mailDate(Date.now())}`,
    `Message-ID: <${crypto.randomUUID()}@amazonses.com>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    '',
    `Hello, you created the receipt rule ${rule.name}, which stores mail in the bucket ${rule.bucket}.`,
    'This object was put there to show that Amazon SES may write to it.',
    '',
  ].join('\r\n');
}
