import type { Clock } from '../../base/clock.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import { isAscii } from '../../mail/address/domain.ts';
import type { MailParams, MailService, MailTransaction, MessageSink, SessionFacts } from '../service.ts';
import { relayLogLine } from './log.ts';
import type { RelayCounts } from './metrics.ts';
import type { RelayOutlet } from './outlet.ts';
import { DENIED_RECIPIENTS, DENIED_SENDER, relayReplies } from './replies.ts';
import type { RelayRules } from './rules.ts';

export interface RelayServiceOptions {
  readonly rules: RelayRules;
  readonly outlet: RelayOutlet;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: RelayCounts;
  /** Takes the lines of the JSON log. */
  readonly log: (line: string) => void;
  /** The confirmed name of a client's address; undefined where it has none or DNS is not to be asked. Never rejects. */
  readonly reverseName?: ((address: string) => Promise<string | undefined>) | undefined;
}

/** What is known of a client besides its session. */
interface Client {
  reverseName: string | undefined;
  /** Its address was refused, and counted. */
  denied: boolean;
}

/**
 * Mail from programs of ours to anybody, through Amazon SES. The rules are asked before a message is taken, so that none
 * is sent to some and refused for others: a client that retries would send it again to the first.
 */
export function createRelayService(options: RelayServiceOptions): MailService {
  const { rules, logger, counts } = options;
  const clients = new WeakMap<SessionFacts, Client>();
  const clientOf = (session: SessionFacts): Client => {
    const known = clients.get(session) ?? { reverseName: undefined, denied: false };
    clients.set(session, known);
    return known;
  };
  return {
    protocol: 'submission',
    async connect(session) {
      const client = clientOf(session);
      // Nobody waits for it: a slow DNS must not hold up mail.
      void options.reverseName?.(session.remoteAddress).then((name) => {
        client.reverseName = name;
      });
    },
    async mail(session, path, params) {
      const client = clientOf(session);
      if (rules.mayConnect?.(session.remoteAddress) === false) {
        if (!client.denied) counts.deniedIp();
        client.denied = true;
        logger.warn({ ip: session.remoteAddress, from: path }, 'refused: the address is not on the list');
        throw relayReplies.deniedIp();
      }
      options.outlet.requireRoom?.();
      refuseImpossible(path, params);
      return new RelayTransaction(options, session, client, path, params);
    },
    end(session, reason) {
      logger.debug({ session: session.id, ip: session.remoteAddress, reason }, 'session ended');
    },
    refused(session, { stage, reply, reason, subject }) {
      const fields = { session: session.id, ip: session.remoteAddress, stage, code: reply.code, reason };
      logger.info(subject === undefined ? fields : { ...fields, subject }, 'refused');
    },
  };
}

/** What SES cannot do for any recipient. SMTPUTF8 and RET are no reason as long as addresses are ASCII. */
function refuseImpossible(path: string, params: MailParams): void {
  if (params.body === 'BINARYMIME') throw relayReplies.binary();
  if (params.requireTls) throw relayReplies.requireTls();
  if (!isAscii(path)) throw relayReplies.notAscii();
}

class RelayTransaction implements MailTransaction {
  readonly #options: RelayServiceOptions;
  readonly #session: SessionFacts;
  readonly #client: Client;
  readonly #from: string;
  readonly #params: MailParams;
  readonly #recipients: string[] = [];
  readonly #denied: string[] = [];
  #sink: { abort(): void } | undefined;

  constructor(
    options: RelayServiceOptions,
    session: SessionFacts,
    client: Client,
    from: string,
    params: MailParams,
  ) {
    this.#options = options;
    this.#session = session;
    this.#client = client;
    this.#from = from;
    this.#params = params;
  }

  async rcpt(address: string): Promise<void> {
    const { rules } = this.#options;
    if (!isAscii(address)) throw relayReplies.notAscii();
    if (!address.includes('@')) throw relayReplies.noDomain();
    // Not at MAIL: the log tells to whom the mail was to go.
    if (!rules.senderAllowed(this.#from)) {
      this.#denied.push(address);
      throw relayReplies.deniedSender();
    }
    if (rules.recipientDenied(address)) {
      this.#denied.push(address);
      throw relayReplies.deniedRecipient();
    }
    if (!this.#recipients.includes(address)) this.#recipients.push(address);
  }

  async open(): Promise<MessageSink> {
    const { outlet, clock } = this.#options;
    const sink = outlet.open({
      session: this.#session,
      reverseName: this.#client.reverseName,
      from: this.#from,
      recipients: this.#recipients,
      params: this.#params,
      trace: timeId(clock.now()),
    });
    this.#sink = sink;
    return {
      write: (chunk) => sink.write(chunk),
      finish: async () => {
        this.#sink = undefined;
        this.#logDenied();
        return { reply: await sink.finish(), perRecipient: [] };
      },
      abort: () => this.abandon(),
    };
  }

  abandon(): void {
    this.#sink?.abort();
    this.#sink = undefined;
    this.#logDenied();
  }

  /** One line for all that were denied, before that of what is sent. */
  #logDenied(): void {
    if (this.#denied.length === 0) return;
    const { rules, counts, log, clock } = this.#options;
    const sender = !rules.senderAllowed(this.#from);
    if (sender) counts.deniedSender();
    const error = sender ? DENIED_SENDER : DENIED_RECIPIENTS;
    const to = this.#denied.splice(0);
    log(relayLogLine({ at: clock.now(), ip: this.#session.remoteAddress, from: this.#from, to, error }));
  }
}
