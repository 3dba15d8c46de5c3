import { createHash } from 'node:crypto';
import type { ListenerFacts } from '../facts.ts';
import { escapeHtml as escape } from './home.ts';

/** Settings for mail programs: Thunderbird's autoconfig, Outlook's autodiscover (POX), Apple's configuration profile. */

/** One way to read or send mail, at the port the world knows. */
export interface MailService {
  readonly kind: 'imap' | 'smtp';
  readonly port: number;
  readonly security: 'tls' | 'starttls';
}

export interface MailSettings {
  readonly domain: string;
  readonly hostname: string;
  /** The preferred one of a kind first: TLS from the start (RFC 8314 section 3). */
  readonly services: readonly MailService[];
}

const SERVICES: readonly (readonly [listener: string, service: MailService])[] = [
  ['imaps', { kind: 'imap', port: 993, security: 'tls' }],
  ['imap', { kind: 'imap', port: 143, security: 'starttls' }],
  ['submissions', { kind: 'smtp', port: 465, security: 'tls' }],
  ['submission', { kind: 'smtp', port: 587, security: 'starttls' }],
];

/** What we offer; those without encryption are offered to nobody. */
export function mailServices(listeners: readonly ListenerFacts[]): MailService[] {
  return SERVICES.flatMap(([name, service]) =>
    listeners.some((one) => one.name === name && one.security !== 'none') ? [service] : [],
  );
}

/** config-v1.1.xml as Thunderbird, K-9, Evolution and others read it. */
export function thunderbirdConfig({ domain, hostname, services }: MailSettings): string {
  const server = ({ kind, port, security }: MailService): string => {
    const tag = kind === 'imap' ? 'incomingServer' : 'outgoingServer';
    return `    <${tag} type="${kind}">
      <hostname>${escape(hostname)}</hostname>
      <port>${port}</port>
      <socketType>${security === 'tls' ? 'SSL' : 'STARTTLS'}</socketType>
      <username>%EMAILADDRESS%</username>
      <authentication>password-cleartext</authentication>
    </${tag}>
`;
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${escape(domain)}">
    <domain>${escape(domain)}</domain>
    <displayName>${escape(domain)}</displayName>
    <displayShortName>${escape(domain)}</displayShortName>
${services.map(server).join('')}  </emailProvider>
</clientConfig>
`;
}

const RESPONSE = 'http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006';
const OUTLOOK = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';

/** The answer of POX autodiscover ([MS-OXDSCLI]) for programs that speak IMAP and SMTP. */
export function outlookConfig({ hostname, services }: MailSettings, address: string): string {
  const protocol = ({ kind, port, security }: MailService): string => `      <Protocol>
        <Type>${kind.toUpperCase()}</Type>
        <Server>${escape(hostname)}</Server>
        <Port>${port}</Port>
        <LoginName>${escape(address)}</LoginName>
        <DomainRequired>off</DomainRequired>
        <SPA>off</SPA>
        <SSL>${security === 'tls' ? 'on' : 'off'}</SSL>
        <Encryption>${security === 'tls' ? 'SSL' : 'TLS'}</Encryption>
        <AuthRequired>on</AuthRequired>
${kind === 'smtp' ? '        <UsePOPAuth>off</UsePOPAuth>\n        <SMTPLast>off</SMTPLast>\n' : ''}      </Protocol>
`;
  return `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="${RESPONSE}">
  <Response xmlns="${OUTLOOK}">
    <Account>
      <AccountType>email</AccountType>
      <Action>settings</Action>
${preferred(services).map(protocol).join('')}    </Account>
  </Response>
</Autodiscover>
`;
}

/** The first of each kind. */
function preferred(services: readonly MailService[]): MailService[] {
  return services.filter(({ kind }, index) => services.findIndex((one) => one.kind === kind) === index);
}

/** A profile for iPhones, iPads and Macs. The password is asked for when it is installed. */
export function appleProfile(settings: MailSettings, address: string): string {
  const { hostname, services, domain } = settings;
  const [incoming] = services.filter(({ kind }) => kind === 'imap');
  const [outgoing] = services.filter(({ kind }) => kind === 'smtp');
  if (incoming === undefined || outgoing === undefined) return '';
  const server = (which: 'Incoming' | 'Outgoing', { port, security }: MailService): string =>
    string(`${which}MailServerHostName`, hostname) +
    integer(`${which}MailServerPortNumber`, port) +
    // False lets the device use STARTTLS.
    boolean(`${which}MailServerUseSSL`, security === 'tls') +
    string(`${which}MailServerUsername`, address) +
    string(`${which}MailServerAuthentication`, 'EmailAuthPassword');
  const account =
    string('PayloadType', 'com.apple.mail.managed') +
    integer('PayloadVersion', 1) +
    string('PayloadIdentifier', `${reversed(domain)}.mail.account`) +
    string('PayloadUUID', uuid(`account ${address}`)) +
    string('PayloadDisplayName', address) +
    string('EmailAccountType', 'EmailTypeIMAP') +
    string('EmailAccountDescription', address) +
    string('EmailAddress', address) +
    server('Incoming', incoming) +
    server('Outgoing', outgoing) +
    boolean('OutgoingPasswordSameAsIncomingPassword', true);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
${string('PayloadType', 'Configuration')}${integer('PayloadVersion', 1)}${string('PayloadIdentifier', `${reversed(domain)}.mail`)}${string('PayloadUUID', uuid(`profile ${address}`))}${string('PayloadDisplayName', `Mail of ${address}`)}${string('PayloadOrganization', domain)}${boolean('PayloadRemovalDisallowed', false)}<key>PayloadContent</key>
<array>
<dict>
${account}</dict>
</array>
</dict>
</plist>
`;
}

function string(key: string, value: string): string {
  return `<key>${key}</key><string>${escape(value)}</string>\n`;
}

function integer(key: string, value: number): string {
  return `<key>${key}</key><integer>${value}</integer>\n`;
}

function boolean(key: string, value: boolean): string {
  return `<key>${key}</key><${value ? 'true' : 'false'}/>\n`;
}

function reversed(domain: string): string {
  return domain.split('.').toReversed().join('.');
}

/** The same for the same address, so that a profile that is installed anew replaces the one before (RFC 9562 5.8). */
function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-').toUpperCase();
}
