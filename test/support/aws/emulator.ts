import { createServer, type Server } from 'node:http';
import { createCalls, type Calls } from './calls.ts';
import type { Core, ServiceModule } from './internal.ts';
import { isMachinePath, machineModule } from './machine.ts';
import { createS3 } from './s3.ts';
import { createSes } from './ses.ts';
import { sesV1Module } from './ses-v1.ts';
import { sesV2Module } from './ses-v2.ts';
import { serve, type Dispatch } from './serve.ts';
import { createSns } from './sns.ts';
import { snsModule } from './sns-api.ts';
import { publicSns } from './sns-public.ts';
import { snsSigner } from './sns-sign.ts';
import { createSqs } from './sqs.ts';
import { sqsModule } from './sqs-api.ts';
import { createSts } from './sts.ts';
import type { AwsEmulator, AwsOptions, Violation } from './types.ts';

const SKEW_MS = 300_000;

/** Start the emulator; see `types.ts` for what it offers. Stop it with `close()`. */
export async function startAws(options: AwsOptions = {}): Promise<AwsEmulator> {
  const region = options.region ?? 'eu-west-1';
  const accessKeyId = options.accessKeyId ?? 'AKIAEMULATOR00000001';
  const secretAccessKey = options.secretAccessKey ?? 'emulator/secret+key/0123456789abcdefghij';
  const violations: Violation[] = [];
  const refusals: Violation[] = [];
  const work = createWork(violations);
  let port = 0;
  const core: Core = {
    options,
    region,
    accountId: options.accountId ?? '123456789012',
    endpoint: () => `http://127.0.0.1:${port}`,
    scaled: (seconds) => seconds * 1000 * (options.timeFactor ?? 1),
    later: work.later,
    track: work.track,
    violations,
    closing: work.closing.signal,
  };
  const signer = await snsSigner();
  const sts = createSts(core, accessKeyId, secretAccessKey);
  const s3 = createS3(core);
  const sqs = createSqs(core);
  const sns = createSns(core, sqs, signer);
  const ses = createSes(core, { sqs, sns, s3: s3.control });
  const answerLate = (): Promise<void> => work.wait(ses.settings.latencyMs);
  const modules = new Map<string, ServiceModule>([
    ['s3', s3.module],
    ['sqs', sqsModule(sqs)],
    ['sns', snsModule(core, sns)],
    ['sts', sts.module],
    ['ses', sesV1Module(ses, answerLate)],
    ['ses v2', sesV2Module(core, ses, answerLate)],
    ['machine', machineModule(sts.control, region)],
    ['public', publicSns(core, sns, signer)],
  ]);
  const calls = createCalls();
  const dispatch: Dispatch = {
    core,
    calls,
    refusals,
    judging: {
      keys: sts.keys,
      regions: [region, ...(options.regions ?? [])],
      skewMs: options.clockSkewMs ?? SKEW_MS,
    },
    moduleOf: (name) => modules.get(name),
    machineOf: isMachinePath,
    wait: work.wait,
  };
  const server = createServer((request, response) => void serve(dispatch, request, response));
  port = await listen(server, options.port ?? 0);
  return assemble(
    { core, port, accessKeyId, secretAccessKey, refusals, calls, work, server },
    { s3, sqs, sns, ses, sts },
  );
}

function assemble(
  base: {
    core: Core;
    port: number;
    accessKeyId: string;
    secretAccessKey: string;
    refusals: Violation[];
    calls: Calls;
    work: Work;
    server: Server;
  },
  services: {
    s3: ReturnType<typeof createS3>;
    sqs: ReturnType<typeof createSqs>;
    sns: ReturnType<typeof createSns>;
    ses: ReturnType<typeof createSes>;
    sts: ReturnType<typeof createSts>;
  },
): AwsEmulator {
  const { core, accessKeyId, secretAccessKey, calls, work, server } = base;
  const endpoint = core.endpoint();
  return {
    endpoint,
    port: base.port,
    region: core.region,
    accountId: core.accountId,
    accessKeyId,
    secretAccessKey,
    settings: { region: core.region, endpoint, credentials: { accessKeyId, secretAccessKey } },
    violations: core.violations,
    refusals: base.refusals,
    calls: calls.log,
    s3: services.s3.control,
    sqs: services.sqs.control,
    sns: services.sns.control,
    ses: services.ses.control,
    sts: services.sts.control,
    fault: (match, fault, times = 1) => calls.faults.plan(match, fault, times),
    clearFaults: () => calls.faults.clear(),
    on: (_, listener) => calls.on(listener),
    next: (match, phase = 'done') => calls.next(match, phase),
    fetch: (url, init) => localFetch(core, url, init),
    idle: () => work.idle(),
    async close() {
      work.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  // Clients keep their connections for long; the server shall not be the one that closes an idle one.
  server.keepAliveTimeout = 120_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** What sns.REGION.amazonaws.com would answer, from here. */
function localFetch(core: Core, url: string | URL, init?: RequestInit): Promise<Response> {
  const target = new URL(url);
  const host = `sns.${core.region}.amazonaws.com`;
  if (target.origin === core.endpoint()) return fetch(target, init);
  if (target.protocol !== 'https:' || target.host !== host) {
    return Promise.reject(new TypeError(`fetch failed: ${target.host} cannot be reached from here`));
  }
  return fetch(`${core.endpoint()}${target.pathname}${target.search}`, init);
}

interface Work {
  readonly closing: AbortController;
  later(ms: number, pending: boolean, task: () => void): () => void;
  track(work: Promise<void>): void;
  wait(ms: number): Promise<void>;
  idle(): Promise<void>;
  close(): void;
}

/** Timers and background work, so that `idle` can wait for them and `close` can end them. */
function createWork(violations: Violation[]): Work {
  const closing = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  let busy = 0;
  const waiting: (() => void)[] = [];
  const release = (): void => {
    busy--;
    if (busy === 0) for (const resume of waiting.splice(0)) resume();
  };
  const failed = (error: unknown): void => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    violations.push({ service: 'ses', operation: 'background work', code: 'InternalError', message });
  };
  const work: Work = {
    closing,
    later(ms, pending, task) {
      if (pending) busy++;
      let over = false;
      const finish = (): boolean => {
        const first = !over;
        over = true;
        timers.delete(timer);
        clearTimeout(timer);
        if (first && pending) setImmediate(release);
        return first;
      };
      const timer = setTimeout(
        () => {
          if (!finish()) return;
          try {
            task();
          } catch (error) {
            failed(error);
          }
        },
        Math.min(ms, MAX_TIMER_MS),
      );
      timers.add(timer);
      return () => void finish();
    },
    track(promise) {
      busy++;
      void promise.catch(failed).finally(release);
    },
    wait(ms) {
      if (ms <= 0 || closing.signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          cancel();
          closing.signal.removeEventListener('abort', done);
          resolve();
        };
        const cancel = work.later(ms, false, done);
        closing.signal.addEventListener('abort', done);
      });
    },
    idle: () => (busy === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))),
    close() {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const resume of waiting.splice(0)) resume();
    },
  };
  return work;
}

/** Node's timers take no more. */
const MAX_TIMER_MS = 2 ** 31 - 1;
