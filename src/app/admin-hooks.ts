import { timeId } from '../base/ids.ts';
import { Refusal } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';
import { terms } from '../data/journal/types.ts';
import type { OpenStore } from '../data/open.ts';
import type { MailService, SessionFacts } from '../flow/service.ts';
import type { Filter } from '../flow/spam/filter.ts';
import { sampleOfBuffer } from '../flow/spam/facts/sample.ts';
import { sesStatus } from '../flow/ses-setup/status.ts';
import type { Dns } from '../mail/dns.ts';
import { formatDate } from '../mail/message/build.ts';
import { createSetUpReader } from '../net/aws/inspect.ts';
import { adminSettings } from '../servers/http/admin/admin-settings.ts';
import { newToken, tokenDigest } from '../servers/http/admin/invitations.ts';
import { principalActor } from '../servers/http/admin/network.ts';
import type { FilterHooks, ProbeHooks, SesHooks } from '../servers/http/admin/operation.ts';
import { webAddress } from '../servers/http/admin/web-address.ts';
import type { Authenticate } from '../servers/http/admin/app.ts';
import type { ServerFacts } from '../servers/http/facts.ts';
import type { LogInRequest } from '../servers/request-login.ts';

/** What the administration over the network needs of the rest of the program. */

type Store = Pick<OpenStore, 'read' | 'write'>;

/** Administrators that log in. */
export function networkAdministrators(parts: {
  readonly store: Store;
  readonly clock: Clock;
  readonly logIn: LogInRequest;
}): Authenticate {
  const { store } = parts;
  return principalActor({ ...parts, hasSecondFactor: (id) => hasSecondFactor(store, id) });
}

export async function hasSecondFactor({ read }: Pick<Store, 'read'>, accountId: number): Promise<boolean> {
  const { totp, passkeys } = await read.run('access.factors', { accountId });
  return totp?.confirmedAt !== undefined || passkeys.length > 0;
}

/** Whether an administrator has to set up a second factor before anything else. */
export async function mustEnroll(
  store: Pick<Store, 'read'>,
  { id, role }: { readonly id: number; readonly role: string },
): Promise<boolean> {
  if (role === 'user' || !(await adminSettings(store)).require_second_factor) return false;
  return !(await hasSecondFactor(store, id));
}

/** A link by which the first domain and administrator are made; undefined where there is a domain. */
export async function setupLink(store: Store, facts: ServerFacts): Promise<string | undefined> {
  const token = newToken();
  const wanted = await store.write.run('directory.setSetupToken', { digest: tokenDigest(token) });
  return wanted ? `${webAddress(facts)}/#/setup?token=${token}` : undefined;
}

/** What mail is judged by with another knob, as the model stands now. */
export function thresholdHook({ scanner }: Filter): NonNullable<FilterHooks['threshold']> {
  return async (goodPerJunked) => {
    const sample = sampleOfBuffer(Buffer.from('From: a@example.org\r\nSubject: a\r\n\r\na\r\n'));
    const policy = { refuse: [], junk: [] };
    const scanned = await scanner.judge({ sample, owners: [], evidence: {}, goodPerJunked, policy });
    return scanned?.content[0]?.threshold;
  };
}

/** Test messages, handed in as an account's own program would hand them in. */
export function probeHooks(
  store: Store,
  clock: Clock,
  submission: MailService,
  hostname: () => string,
): ProbeHooks {
  return {
    async send({ from, to, subject, text }) {
      const account = await store.read.run('directory.account', { address: from });
      if (account === undefined) throw new Refusal('no-such-account', `There is no account ${from}.`);
      const id = timeId(clock.now());
      const messageId = `setup-${id}@${hostname()}`;
      const octets = Buffer.from(
        [
          `From: <${account.address}>`,
          `To: <${to.replaceAll(/[\r\n<>]/g, '')}>`,
          `Subject: ${subject.replaceAll(/[\r\n]/g, ' ')}`,
          `Date: ${formatDate(clock.now())}`,
          `Message-ID: <${messageId}>`,
          'MIME-Version: 1.0',
          'Content-Type: text/plain; charset=utf-8',
          '',
          text.replaceAll(/\r?\n/g, '\r\n'),
        ].join('\r\n'),
      );
      await handIn(submission, { id, accountId: account.id, address: account.address }, to, octets);
      const [found] = await store.read.run('journal.find', { term: terms.messageId(messageId), limit: 1 });
      return { trace: found?.trace ?? id };
    },
  };
}

async function handIn(
  submission: MailService,
  { id, accountId, address }: { readonly id: string; readonly accountId: number; readonly address: string },
  to: string,
  octets: Buffer,
): Promise<void> {
  const session: SessionFacts = {
    id,
    protocol: 'submission',
    remoteAddress: '127.0.0.1',
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    helo: '',
    extended: true,
    tls: undefined,
    login: { accountId, address, mechanism: 'HTTP', revoked: new AbortController().signal },
    earlyTalk: false,
    earlyPipelining: false,
  };
  const transaction = await submission.mail(session, address, {
    size: octets.length,
    body: '8BITMIME',
    smtputf8: false,
    requireTls: false,
    ret: undefined,
    envid: undefined,
    auth: undefined,
  });
  try {
    await transaction.rcpt(to, { notify: ['NEVER'], orcpt: undefined });
    const sink = await transaction.open();
    await sink.write(octets);
    await sink.finish();
  } catch (error) {
    transaction.abandon();
    throw error;
  }
}

/** How SES stands, asked of Amazon with the credentials that the settings name. */
export function sesHooks(clock: Clock, dns: () => Dns | undefined): SesHooks {
  return {
    async look({ settings, configurationSets, sources }, { domains, host }) {
      const resolver = dns();
      if (resolver === undefined) throw new Refusal('unavailable', 'No DNS may be asked here.');
      const reader = createSetUpReader(settings, { clock });
      const { region } = settings;
      const request = { region, domains, receive: 'auto', host, configurationSets, sources } as const;
      try {
        return await sesStatus({ reader, dns: resolver, request });
      } finally {
        reader.close();
      }
    },
  };
}
