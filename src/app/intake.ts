import { Refusal } from '../base/errors.ts';
import { fileTrouble, readSmallFile } from '../base/small-file.ts';
import { createSesInbound, type SesInbound } from '../flow/ses-inbound/service.ts';
import type { IntakeSource } from '../flow/ses-inbound/settings.ts';
import type { OpenSource, Others } from '../flow/ses-inbound/types.ts';
import type { Gate } from '../flow/inbound/gate/gate.ts';
import { createAws } from '../net/aws/client.ts';
import type { Fetch } from '../net/aws/sns-fetch.ts';
import { listenSns } from '../servers/http/hooks/listener.ts';
import { createSnsHook, type SnsHook } from '../servers/http/hooks/sns.ts';
import type { Clock } from '../base/clock.ts';
import type { Core } from './core.ts';
import type { Job } from './jobs.ts';
import type { StartListener } from './services.ts';

/** Mail that Amazon SES took for us: from the buckets that `postern intake` names into the mailboxes. */
export interface IntakePart {
  readonly inbound: SesInbound;
  readonly hook: SnsHook;
  /** A port for SNS alone. */
  readonly listener: StartListener;
  readonly jobs: readonly Job[];
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Milliseconds that is remembered what was taken from a bucket: longer than any queue keeps a notice (14 days). */
const REMEMBERED_MS = 60 * DAY;
/** Milliseconds that notices are kept which could not be understood, from their last coming on. */
const PROBLEMS_MS = 90 * DAY;
/** Rows in one write. */
const BATCH = 500;

export interface IntakeOptions {
  readonly core: Core;
  readonly gate: Gate;
  /** For SNS's certificates and confirmations; the platform's own unless tests bring theirs. */
  readonly fetch?: Fetch | undefined;
  /** Messages of listed topics that are no news of mail: true when somebody took it. */
  readonly others?: Others | undefined;
}

export function createIntake({ core, gate, fetch = globalThis.fetch, others }: IntakeOptions): IntakePart {
  const { clock, metrics, tls, options } = core;
  const { logger } = options;
  const inbound = createSesInbound({
    deps: () => core.live.deps,
    gate,
    metrics,
    open: (source) => openSource(source, clock),
    fetch,
    others,
  });
  const hook = createSnsHook({ target: inbound.sns, clock, logger });
  return {
    inbound,
    hook,
    async listener(target) {
      const source = tls.source('sns', 'strict');
      const running = await listenSns({ target, hook, tls: source, clock, logger });
      const { address, port } = running;
      return { service: 'sns', address, port, sessions: () => 0, drain: (graceMs) => running.drain(graceMs) };
    },
    jobs: [
      {
        name: 'forget mail taken from buckets',
        everyMs: DAY,
        async run({ store }) {
          const now = clock.now();
          const args = { before: now - REMEMBERED_MS, problemsBefore: now - PROBLEMS_MS, limit: BATCH };
          return (await store.write.run('intake.forget', args)).more;
        },
      },
    ],
  };
}

/** Amazon's services as a source wants them. Throws a `Refusal` that names the file that cannot be read. */
async function openSource(settings: IntakeSource, clock: Clock): Promise<OpenSource> {
  const { region, endpoint, credentials_file: file, profile, role_arn: role, external_id: id } = settings;
  const login = settings.basic_auth_file;
  const basicAuth = login === '' ? undefined : await readSecret(`${settings.name}.basic_auth_file`, login);
  if (file !== '') await readSecret(`${settings.name}.credentials_file`, file);
  const aws = createAws(
    {
      region,
      ...(endpoint !== '' && { endpoint }),
      ...(file !== '' && { credentials: { file } }),
      ...(profile !== '' && { profile }),
      ...(role !== '' && { roleArn: role }),
      ...(id !== '' && { externalId: id }),
    },
    { clock },
  );
  return { settings, objects: aws.objects, notices: aws.notices, basicAuth, close: () => aws.close() };
}

/** "a:b" of a file, without the end of its line. */
async function readSecret(name: string, file: string): Promise<string> {
  let secret: string;
  try {
    secret = (await readSmallFile(file)).toString('utf8').trimEnd();
  } catch (error) {
    throw new Refusal('bad-input', `${name}: cannot read ${file}: ${fileTrouble(error)}`);
  }
  if (/^[^:\s]+:\S/.test(secret)) return secret;
  throw new Refusal('bad-input', `${name}: ${file} does not hold two words with a colon between them`);
}
