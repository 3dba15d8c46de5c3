import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './body.ts';
import type { Calls } from './calls.ts';
import type { Answer, Core, Incoming, Prepared, ServiceModule } from './internal.ts';
import { ServiceError } from './internal.ts';
import { checkSignature, type Judging, readAuthorization, type Scope } from './signature.ts';
import type { AwsService, Call, Fault, Violation } from './types.ts';

/** What a request needs to be answered. */
export interface Dispatch {
  readonly core: Core;
  readonly calls: Calls;
  readonly refusals: Violation[];
  readonly judging: Omit<Judging, 'bodyHash'>;
  moduleOf(name: string): ServiceModule | undefined;
  machineOf(path: string): 'imds' | 'ecs' | undefined;
  wait(ms: number): Promise<void>;
}

interface Target {
  readonly service: AwsService;
  readonly module: ServiceModule;
  /** Undefined: needs no signature. */
  readonly scope: Scope | undefined;
}

/** Read one request, judge it, do what it asks and answer, with the faults that are planned for it. */
export async function serve(
  dispatch: Dispatch,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://emulator.invalid');
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const gone = new AbortController();
  response.once('close', () => response.writableFinished || gone.abort('The client is gone'));
  const incoming = (body: Buffer, accessKeyId = ''): Incoming => ({
    method: request.method ?? 'GET',
    path,
    query: url.searchParams,
    headers: request.headers,
    body,
    accessKeyId,
    signal: gone.signal,
  });
  const early = targetOf(dispatch, request, path, undefined);
  const call = dispatch.calls.open(early?.service ?? 's3');
  if (early !== undefined) {
    note(call, early.module.prepare(incoming(Buffer.alloc(0))));
    if (call.operation !== 'Unknown' && dispatch.calls.faults.take(call, true) !== undefined) {
      return cut(call, request);
    }
  }
  try {
    const { body, sha256 } = await readBody(request);
    const target = early ?? targetOf(dispatch, request, path, body);
    if (target === undefined)
      throw new ServiceError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
    const prepared = target.module.prepare(incoming(body, target.scope?.accessKeyId));
    Object.assign(call, { service: target.service });
    note(call, prepared);
    if (target.scope !== undefined) {
      call.accessKeyId = target.scope.accessKeyId;
      judge(dispatch, call, target.scope, request, sha256);
    }
    await perform(dispatch, call, prepared, { request, response, target, path });
  } catch (error) {
    const target = early ?? targetOf(dispatch, request, path, undefined) ?? fallback(dispatch, request, path);
    fail(dispatch, call, error, { request, response, target, path });
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly path: string;
}

async function perform(
  dispatch: Dispatch,
  call: Call,
  prepared: Prepared,
  exchange: Exchange,
): Promise<void> {
  const { calls } = dispatch;
  if (calls.faults.take(call, true) !== undefined) return cut(call, exchange.request);
  await calls.step(call, 'begin');
  const fault = calls.faults.take(call, false);
  if (fault?.kind === 'status') {
    throw new ServiceError(fault.status, fault.code, fault.message ?? 'Planned by the test');
  }
  if (fault?.kind === 'slow') {
    // A client that gives up meanwhile changes nothing: the work is done all the same, as on the real service.
    await dispatch.wait(fault.ms);
    if (fault.ms === Infinity) return cut(call, exchange.request);
  }
  if (fault?.kind === 'cut' && fault.when === 'before-answer') return cut(call, exchange.request);
  const answer = await prepared.run();
  await calls.step(call, 'done');
  if (fault?.kind === 'cut') return cutAfter(call, fault, answer, exchange);
  send(call, answer, exchange);
  await calls.step(call, 'answered');
}

function judge(
  dispatch: Dispatch,
  call: Call,
  scope: Scope,
  request: IncomingMessage,
  bodyHash: string,
): void {
  try {
    checkSignature(scope, request, { ...dispatch.judging, bodyHash });
  } catch (error) {
    if (error instanceof ServiceError) dispatch.refusals.push(violationOf(call, error));
    throw error;
  }
}

/** Which service a request is for: by the scope of its signature, its path, or (web identity) its form. */
function targetOf(
  dispatch: Dispatch,
  request: IncomingMessage,
  path: string,
  body: Buffer | undefined,
): Target | undefined {
  const find = (service: AwsService, name: string, scope?: Scope): Target | undefined => {
    const module = dispatch.moduleOf(name);
    return module === undefined ? undefined : { service, module, scope };
  };
  const machine = dispatch.machineOf(path);
  if (machine !== undefined) return find(machine, 'machine');
  const scope = readAuthorization(request.headers.authorization);
  switch (scope?.service) {
    case 's3':
    case 'sqs':
    case 'sns':
    case 'sts':
      return find(scope.service, scope.service, scope);
    case 'ses':
      return find('ses', path.startsWith('/v2/') ? 'ses v2' : 'ses', scope);
    default:
  }
  const query = (request.url ?? '').split('?')[1] ?? '';
  if (request.method === 'GET' && (path.endsWith('.pem') || (path === '/' && query.includes('Action=')))) {
    return find('sns', 'public');
  }
  const form = body === undefined || body.length > 100_000 ? '' : body.toString('latin1');
  return form.includes('Action=AssumeRoleWithWebIdentity') ? find('sts', 'sts') : undefined;
}

/** In whose words an unsigned request is refused. */
function fallback(dispatch: Dispatch, request: IncomingMessage, path: string): Target {
  const target = String(request.headers['x-amz-target'] ?? '');
  const form = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const [service, name] = (
    target.startsWith('AmazonSQS')
      ? ['sqs', 'sqs']
      : path.startsWith('/v2/')
        ? ['ses', 'ses v2']
        : form
          ? ['sts', 'sts']
          : ['s3', 's3']
  ) as [AwsService, string];
  const module = dispatch.moduleOf(name);
  if (module === undefined) throw new Error(`No service ${name}`);
  return { service, module, scope: undefined };
}

function note(call: Call, prepared: Prepared): void {
  call.operation = prepared.operation;
  call.resource = prepared.resource;
  if (prepared.version !== undefined) call.version = prepared.version;
}

function send(call: Call, answer: Answer, { response }: Exchange): void {
  call.status = answer.status;
  response.writeHead(answer.status, { 'x-amzn-requestid': crypto.randomUUID(), ...answer.headers });
  response.end(answer.body);
}

function fail(dispatch: Dispatch, call: Call, error: unknown, exchange: Exchange): void {
  const { request, response, target, path } = exchange;
  if (response.headersSent || request.socket.destroyed) {
    call.status ??= 0;
    return;
  }
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError(
          500,
          'InternalError',
          error instanceof Error ? (error.stack ?? '') : String(error),
          true,
        );
  call.code = known.code;
  if (known.violation) dispatch.core.violations.push(violationOf(call, known));
  if (known.code === 'MissingAuthenticationToken') dispatch.refusals.push(violationOf(call, known));
  const answer = target.module.renderError(known, crypto.randomUUID(), {
    method: request.method ?? 'GET',
    path,
  });
  send(call, answer, exchange);
}

function violationOf(call: Call, error: ServiceError): Violation {
  return { service: call.service, operation: call.operation, code: error.code, message: error.message };
}

function cut(call: Call, request: IncomingMessage): void {
  call.status = 0;
  request.socket.destroy();
}

/** The work is done; nothing or half of the answer's body goes out. */
function cutAfter(
  call: Call,
  fault: Fault & { kind: 'cut' },
  answer: Answer,
  { request, response }: Exchange,
): void {
  call.status = 0;
  const body = Buffer.from((answer.body ?? '') as Buffer);
  if (fault.when === 'after-effect' || body.length === 0) {
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.status, { ...answer.headers, 'content-length': String(body.length) });
  response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
}
