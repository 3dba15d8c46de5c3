import { Refusal, type SmtpReply, smtpReply } from '../../src/base/errors.ts';
import type {
  Authenticator,
  Greeting,
  LoginAccount,
  MailParams,
  MailService,
  MailTransaction,
  MessageSink,
  RcptParams,
  RefusedAtServer,
  SessionFacts,
} from '../../src/flow/service.ts';
import { deriveScramKeys } from '../../src/mail/sasl/scram.ts';

/** A message the fake flow has accepted. */
export interface TakenMessage {
  readonly from: string;
  readonly params: MailParams;
  readonly recipients: readonly { readonly address: string; readonly params: RcptParams }[];
  readonly body: Buffer;
}

/** A mail flow in memory that remembers what it was asked, for tests of servers. */
export interface FakeMailService extends MailService {
  readonly taken: TakenMessage[];
  readonly refusals: RefusedAtServer[];
  /** Reasons of sessions that ended. */
  readonly ended: string[];
  abandoned: number;
  aborted: number;
  /** Sessions refused at connect when set. */
  refuseConnect: SmtpReply | undefined;
  /** How to greet. */
  greeting: Greeting | undefined;
  /** Facts of the sessions so far, live. */
  readonly sessions: SessionFacts[];
  /** Awaited in connect, in writes and in finish when set. */
  hold: { connect?: Promise<void>; write?: Promise<void>; finish?: Promise<void> };
}

/**
 * Recipients decide what happens: `unknown*` 550 5.1.1, `full*` 452 4.2.2, `leave*` 421 4.7.0, `bug*` throws,
 * `nodata*` refuses to open, `nowrite*` refuses the first write, `nofinish*` fails at the end, `late*` (LMTP) is refused
 * at the end; everybody else is accepted. Senders: `spammer*` 550 5.7.1.
 */
export function fakeMailService(protocol: MailService['protocol']): FakeMailService {
  const service: FakeMailService = {
    protocol,
    taken: [],
    refusals: [],
    ended: [],
    abandoned: 0,
    aborted: 0,
    refuseConnect: undefined,
    greeting: undefined,
    sessions: [],
    hold: {},
    async connect(session) {
      service.sessions.push(session);
      await service.hold.connect;
      if (service.refuseConnect)
        throw new Refusal('not-permitted', 'Go away', { smtp: service.refuseConnect });
      return service.greeting;
    },
    async mail(_session: SessionFacts, path: string, params: MailParams) {
      if (path.startsWith('spammer')) throw new Refusal('not-permitted', 'No mail from you');
      return transaction(service, path, params);
    },
    end: (_session, reason) => void service.ended.push(reason),
    refused: (_session, what) => void service.refusals.push(what),
  };
  return service;
}

function transaction(service: FakeMailService, from: string, params: MailParams): MailTransaction {
  const recipients: { address: string; params: RcptParams }[] = [];
  const has = (prefix: string): boolean => recipients.some(({ address }) => address.startsWith(prefix));
  let over = false;
  return {
    async rcpt(address, rcptParams) {
      if (address.startsWith('unknown')) throw new Refusal('no-such-account', 'No such user here');
      if (address.startsWith('full')) throw new Refusal('over-quota', 'Mailbox full');
      if (address.startsWith('leave'))
        throw new Refusal('limit', 'Leave now', { smtp: smtpReply(421, '4.7.0', 'Leave now') });
      if (address.startsWith('bug')) throw new TypeError('a bug');
      recipients.push({ address, params: rcptParams });
    },
    async open() {
      if (has('nodata')) throw new Refusal('storage-full', 'Disk full');
      return sink(service, has, (body) => {
        over = true;
        service.taken.push({ from, params, recipients, body });
        return recipients.map(({ address }) =>
          address.startsWith('late')
            ? smtpReply(452, '4.2.2', `${address} is full by now`)
            : smtpReply(250, '2.0.0', `Ok, stored for ${address}`),
        );
      });
    },
    abandon() {
      if (over) throw new Error('abandon after finish');
      over = true;
      service.abandoned++;
    },
  };
}

function sink(
  service: FakeMailService,
  has: (prefix: string) => boolean,
  take: (body: Buffer) => readonly SmtpReply[],
): MessageSink {
  const pieces: Buffer[] = [];
  let over = false;
  return {
    write(chunk) {
      if (over) throw new Error('write after the end');
      if (has('nowrite')) throw new Refusal('too-large', 'Too large for this recipient');
      // A copy: the server may do with its buffers what it likes.
      pieces.push(Buffer.from(chunk));
      return service.hold.write;
    },
    async finish() {
      if (over) throw new Error('finish after the end');
      over = true;
      await service.hold.finish;
      if (has('nofinish')) throw new Error('a bug at the end');
      const perRecipient = take(Buffer.concat(pieces));
      const reply =
        perRecipient.find(({ code }) => code < 300) ?? smtpReply(452, '4.2.2', 'Nobody could take it');
      return { reply, perRecipient };
    },
    abort() {
      if (over) throw new Error('abort after the end');
      over = true;
      service.aborted++;
    },
  };
}

export interface FakeAuthenticator extends Authenticator {
  /** Suspend the account: aborts its sessions. */
  revoke(): void;
  /** Know one more account, with the same password. */
  add(address: string, accountId: number): void;
}

/** Knows one account, alice@example.test with the password "postern", and those that are added. */
export async function fakeAuthenticator(): Promise<FakeAuthenticator> {
  const revocation = new AbortController();
  const account: LoginAccount = { accountId: 1, address: 'alice@example.test', revoked: revocation.signal };
  const keys = await deriveScramKeys('postern', Buffer.from('salt of the fake'), 4096);
  const people = new Map([[account.address, account]]);
  const check = (login: string, good: boolean): LoginAccount => {
    const found = people.get(login);
    if (!good || found === undefined)
      throw new Refusal('authentication-failed', 'The login or password is wrong');
    return found;
  };
  return {
    password: async ({ login, password }) => check(login, password === 'postern'),
    scramKeys: async () => keys,
    scramSucceeded: async ({ login }) => check(login, true),
    failed: () => undefined,
    revoke: () => revocation.abort(),
    add: (address, accountId) => void people.set(address, { ...account, address, accountId }),
  };
}
