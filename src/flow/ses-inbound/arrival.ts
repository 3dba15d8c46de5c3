import { limits } from '../../base/limits.ts';
import { parsePath } from '../../mail/address/path.ts';
import { BodySplit } from '../body-split.ts';
import type { FlowDeps } from '../deps.ts';
import { type Authentication, createAuthentication } from '../inbound/authenticate.ts';
import { Intake, type TakenMessage } from '../intake.ts';
import type { SessionFacts } from '../service.ts';
import type { KeptNotice } from './notice.ts';
import { readSesFields, type SesFields } from './ses-fields.ts';

/** An object of the bucket, read to its end: its octets safe, its sender looked into. */
export interface Arrival {
  readonly message: TakenMessage;
  readonly authentication: Authentication;
  readonly fields: SesFields;
  readonly session: SessionFacts;
  /** '' the null one. */
  readonly reversePath: string;
}

export interface ArrivalInput {
  readonly deps: FlowDeps;
  readonly body: AsyncIterable<Buffer>;
  readonly region: string;
  readonly trace: string;
  readonly notice: KeptNotice | undefined;
}

/** Octets handed on before other work gets its turn. */
const PIECE_BYTES = 64 * 1024;

/**
 * Read an object as a session reads DATA: what its header says of the client that SES had it from is known first, then
 * SPF is asked about that client while the rest streams by. Throws the Refusals of `Intake` and whatever the stream throws,
 * with nothing left behind.
 */
export async function readArrival(input: ArrivalInput): Promise<Arrival> {
  const { deps } = input;
  let begun: Begun | undefined;
  const intake = new Intake({
    bodies: deps.store.bodies,
    maxBytes: deps.settings.maxMessageBytes,
    tap: (chunk) => begun?.authentication.push(chunk),
  });
  try {
    const held: Buffer[] = [];
    const head = new HeadWatch();
    for await (const chunk of input.body) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        if (begun === undefined) {
          held.push(piece);
          const header = head.push(piece);
          if (header === undefined) continue;
          begun = begin(input, header);
          for (const each of held.splice(0)) await intake.write(each);
        } else await intake.write(piece);
      }
    }
    begun ??= begin(input, head.end());
    for (const each of held) await intake.write(each);
    return { ...begun, message: await intake.finish() };
  } catch (error) {
    intake.abort();
    begun?.authentication.abandon();
    throw error;
  }
}

/** Finds the end of the header section; one that has none within the limit is cut there, and refused later. */
class HeadWatch {
  #header: Buffer | undefined;
  #seen = 0;
  #kept: Buffer[] = [];
  readonly #split = new BodySplit({
    header: (header) => {
      this.#header = header;
    },
    body: () => undefined,
  });

  push(piece: Buffer): Buffer | undefined {
    this.#split.push(piece);
    this.#seen += piece.length;
    if (this.#header === undefined) {
      this.#kept.push(piece);
      if (this.#seen > limits.headerBytes) this.#header = Buffer.concat(this.#kept);
    }
    return this.#header;
  }

  end(): Buffer {
    this.#split.end();
    return this.#header ?? Buffer.alloc(0);
  }
}

type Begun = Omit<Arrival, 'message'>;

function begin({ deps, region, trace, notice }: ArrivalInput, header: Buffer): Begun {
  const fields = readSesFields(header);
  const reversePath = usablePath(fields.sender ?? notice?.sender ?? '');
  const session: SessionFacts = {
    id: trace,
    protocol: 'smtp',
    remoteAddress: fields.ip ?? '',
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    via: `Amazon SES ${region}`,
    helo: fields.helo ?? '',
    extended: true,
    tls: undefined,
    login: undefined,
    earlyTalk: false,
    earlyPipelining: false,
  };
  const authentication = createAuthentication({
    dns: deps.dns,
    clock: deps.clock,
    receiver: deps.settings.hostname,
    ip: session.remoteAddress,
    helo: session.helo,
    reversePath,
    told: fields.spf,
  });
  return { authentication, fields, session, reversePath };
}

/** SES took it, so one that we would not have is as good as none: nobody can be told anything at it. */
function usablePath(path: string): string {
  const sender = parsePath(path, { smtputf8: true, maxLocalPartOctets: 254 });
  return sender.kind === 'mailbox' ? path : '';
}
