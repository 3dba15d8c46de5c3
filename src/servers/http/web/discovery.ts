import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText } from '../../../base/errors.ts';
import type { Logger } from '../../../base/log.ts';
import type { Store } from '../../../data/store.ts';
import { doctorSettings, domainFacts, type HostFacts } from '../../../flow/doctor/facts.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { parseMailbox } from '../../../mail/address/path.ts';
import { mailHosts } from '../../../mail/dns-records.ts';
import { stsPolicyText } from '../../../mail/mta-sts/publish.ts';
import type { ListenerFacts } from '../facts.ts';
import {
  appleProfile,
  type MailSettings,
  mailServices,
  outlookConfig,
  thunderbirdConfig,
} from './autoconfig.ts';

/**
 * What others ask at names of our domains, usually through a proxy that holds the certificates: the MTA-STS policy
 * (RFC 8461 section 3.3) and settings for mail programs. The same for everybody, whether or not an address exists; it is
 * answered whatever name the port itself has, for domains of ours alone.
 */

export interface DiscoveryParts {
  readonly store: Pick<Store, 'read'>;
  readonly host: () => HostFacts;
  readonly listeners: () => readonly ListenerFacts[];
  readonly logger: Logger;
}

/** Octets of a request of Outlook; it holds an address and two names of schemas. */
const BODY_BYTES = 16 * 1024;
/** Characters of a target that are looked at. */
const TARGET_LENGTH = 2000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Asked {
  /** The Host field without its port. */
  readonly host: string;
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: () => Promise<string | undefined>;
}

type Page = (parts: DiscoveryParts, asked: Asked) => Promise<Answer>;

const NOT_HERE: Answer = { status: 404, type: 'text/plain', body: 'There is nothing here.\n' };
const XML = 'text/xml; charset=utf-8';

const PAGES: ReadonlyMap<string, { readonly methods: readonly string[]; readonly page: Page }> = new Map([
  ['/.well-known/mta-sts.txt', { methods: ['GET', 'HEAD'], page: policyPage }],
  ['/mail/config-v1.1.xml', { methods: ['GET', 'HEAD'], page: thunderbirdPage }],
  ['/.well-known/autoconfig/mail/config-v1.1.xml', { methods: ['GET', 'HEAD'], page: thunderbirdPage }],
  ['/autodiscover/autodiscover.xml', { methods: ['POST'], page: outlookPage }],
  ['/mail/apple.mobileconfig', { methods: ['GET', 'HEAD'], page: applePage }],
]);

/** A look at a request before others: true when it is one of these, and is being answered. */
export function createDiscovery(
  parts: DiscoveryParts,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const target = (request.url ?? '').slice(0, TARGET_LENGTH);
    const cut = target.indexOf('?');
    // Outlook writes the path in several ways.
    const path = (cut < 0 ? target : target.slice(0, cut)).toLowerCase();
    const found = PAGES.get(path);
    if (found === undefined) return false;
    void answer(parts, found, request, cut < 0 ? '' : target.slice(cut)).then(
      (made) => say(request, response, made),
      (error: unknown) => {
        parts.logger.warn({ path, error: errorText(error) }, 'http: settings for a mail program failed');
        say(request, response, { status: 500, type: 'text/plain', body: 'Something went wrong here.\n' });
      },
    );
    return true;
  };
}

async function answer(
  parts: DiscoveryParts,
  { methods, page }: { readonly methods: readonly string[]; readonly page: Page },
  request: IncomingMessage,
  query: string,
): Promise<Answer> {
  const { method = 'GET', headers } = request;
  if (!methods.includes(method))
    return {
      status: 405,
      type: 'text/plain',
      body: 'Not this way.\n',
      headers: { Allow: methods.join(', ') },
    };
  const host = normalizeDomain((headers.host ?? '').replace(/:\d{1,5}$/, '')) ?? '';
  return page(parts, { host, method, query: new URLSearchParams(query), body: () => readBody(request) });
}

function say(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body, headers }: Answer,
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // What was not read is not waited for.
    ...(!request.complete && { Connection: 'close' }),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Undefined: it is longer than any that is meant. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** A domain of ours, by the name in front of which one of `labels` stands. */
async function ownDomain(
  { store }: DiscoveryParts,
  host: string,
  label: string,
): Promise<string | undefined> {
  const name = host.startsWith(`${label}.`) ? host.slice(label.length + 1) : host;
  return (await store.read.run('directory.domain', { name }))?.name;
}

async function policyPage(parts: DiscoveryParts, { host }: Asked): Promise<Answer> {
  if (!host.startsWith('mta-sts.')) return NOT_HERE;
  const domain = await ownDomain(parts, host, 'mta-sts');
  if (domain === undefined) return NOT_HERE;
  const facts = await domainFacts(parts.store, parts.host(), domain);
  if (facts.mtaSts === undefined) return NOT_HERE;
  const body = stsPolicyText({ ...facts.mtaSts, mx: mailHosts(facts) });
  return { status: 200, type: 'text/plain; charset=us-ascii', body };
}

async function settingsFor(parts: DiscoveryParts, domain: string): Promise<MailSettings | undefined> {
  if (!(await doctorSettings(parts.store)).autoconfig) return undefined;
  const services = mailServices(parts.listeners());
  const complete =
    services.some(({ kind }) => kind === 'imap') && services.some(({ kind }) => kind === 'smtp');
  return complete ? { domain, hostname: parts.host().hostname, services } : undefined;
}

async function thunderbirdPage(parts: DiscoveryParts, { host, query }: Asked): Promise<Answer> {
  const typed = addressOf(query.get('emailaddress') ?? '');
  const domain =
    (await ownDomain(parts, host, 'autoconfig')) ??
    // Asked at the host's own name, the address says which domain is meant.
    (typed === undefined ? undefined : await ownDomain(parts, typed.domain, 'autoconfig'));
  const settings = domain === undefined ? undefined : await settingsFor(parts, domain);
  return settings === undefined ? NOT_HERE : { status: 200, type: XML, body: thunderbirdConfig(settings) };
}

async function outlookPage(parts: DiscoveryParts, { body }: Asked): Promise<Answer> {
  const text = await body();
  if (text === undefined) return { status: 413, type: 'text/plain', body: 'That is too long.\n' };
  const written = /<(?:[A-Za-z0-9]{1,20}:)?EMailAddress>\s{0,100}([^<\s]{3,320})\s{0,100}</.exec(text)?.[1];
  const address = addressOf(unescapeXml(written ?? ''));
  if (address === undefined) return { status: 400, type: 'text/plain', body: 'There is no address in it.\n' };
  const domain = await ownDomain(parts, address.domain, 'autodiscover');
  const settings = domain === undefined ? undefined : await settingsFor(parts, domain);
  if (settings === undefined) return NOT_HERE;
  return { status: 200, type: XML, body: outlookConfig(settings, address.text) };
}

async function applePage(parts: DiscoveryParts, { query }: Asked): Promise<Answer> {
  const address = addressOf(query.get('email') ?? '');
  if (address === undefined)
    return { status: 400, type: 'text/plain', body: 'Say which address: ?email=you@example.org\n' };
  const domain = await ownDomain(parts, address.domain, 'autoconfig');
  const settings = domain === undefined ? undefined : await settingsFor(parts, domain);
  if (settings === undefined) return NOT_HERE;
  return {
    status: 200,
    type: 'application/x-apple-aspen-config',
    body: appleProfile(settings, address.text),
    headers: { 'Content-Disposition': `attachment; filename="${settings.domain}.mobileconfig"` },
  };
}

function addressOf(text: string): { text: string; domain: string } | undefined {
  if (text.length > 320) return undefined;
  const mailbox = parseMailbox(text, { smtputf8: true });
  if (mailbox?.kind !== 'mailbox' || mailbox.ip !== undefined) return undefined;
  return { text: `${text.slice(0, text.lastIndexOf('@'))}@${mailbox.domain}`, domain: mailbox.domain };
}

function unescapeXml(text: string): string {
  return text.replaceAll('&apos;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
