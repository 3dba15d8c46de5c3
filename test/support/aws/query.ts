import type { Answer, Incoming, Prepared } from './internal.ts';
import { malformed, ServiceError } from './internal.ts';
import { document, element, type XmlValue } from './xml.ts';

/** The AWS Query protocol of SNS, SES v1 and STS: a form in, XML out. */
export interface QueryOperation {
  /** Members that must be there; a trailing "." stands for a list or structure with at least one element. */
  readonly required: readonly string[];
  /** Members that may be there besides, by their beginning. */
  readonly optional?: readonly string[];
  /** What a test finds as the call's resource. */
  resource?(form: URLSearchParams): string;
  /** Contents of the Result element; undefined: the operation has none. */
  run(
    form: URLSearchParams,
    request: Incoming,
  ): Record<string, XmlValue> | undefined | Promise<Record<string, XmlValue> | undefined>;
}

export interface QueryService {
  /** "2010-03-31" */
  readonly version: string;
  readonly namespace: string;
  readonly operations: Readonly<Record<string, QueryOperation>>;
}

export function prepareQuery(service: QueryService, request: Incoming): Prepared {
  const form = request.method === 'GET' ? request.query : new URLSearchParams(request.body.toString('utf8'));
  const action = form.get('Action') ?? '';
  const operation = Object.hasOwn(service.operations, action) ? service.operations[action] : undefined;
  return {
    operation: action === '' ? 'Unknown' : action,
    resource: operation?.resource?.(form) ?? '',
    async run() {
      if (operation === undefined) {
        throw malformed('InvalidAction', `Could not find operation ${action} for version ${service.version}`);
      }
      checkForm(service, operation, request, form);
      const result = await operation.run(form, request);
      return { status: 200, headers: XML, body: render(service, action, result) };
    },
  };
}

const XML = { 'content-type': 'text/xml' };

function checkForm(
  service: QueryService,
  operation: QueryOperation,
  request: Incoming,
  form: URLSearchParams,
): void {
  const type = request.headers['content-type'] ?? '';
  if (request.method === 'POST' && !type.startsWith('application/x-www-form-urlencoded')) {
    throw malformed('InvalidParameterValue', `Content type ${type} is not a form`);
  }
  if (form.get('Version') !== service.version) {
    throw malformed('InvalidAction', `Version ${form.get('Version') ?? ''} is not ${service.version}`);
  }
  for (const name of operation.required) {
    const there = name.endsWith('.')
      ? [...form.keys()].some((key) => key.startsWith(name))
      : form.get(name) !== null;
    if (!there) throw malformed('ValidationError', `Missing required parameter ${name}`);
  }
  for (const key of form.keys()) {
    if (key === 'Action' || key === 'Version') continue;
    const known = [...operation.required, ...(operation.optional ?? [])].some((name) =>
      name.endsWith('.') ? key.startsWith(name) : key === name,
    );
    if (!known) throw malformed('ValidationError', `Unknown parameter ${key}`);
  }
}

function render(service: QueryService, action: string, result: Record<string, XmlValue> | undefined): string {
  return document(`${action}Response`, service.namespace, {
    ...(result === undefined ? {} : { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: crypto.randomUUID() },
  });
}

export function renderQueryError(service: QueryService, error: ServiceError, requestId: string): Answer {
  const type = error.status >= 500 ? 'Receiver' : 'Sender';
  const body = `<ErrorResponse xmlns="${service.namespace}">${element('Error', {
    Type: type,
    Code: error.code,
    Message: error.message,
  })}${element('RequestId', requestId)}</ErrorResponse>`;
  return { status: error.status, headers: { ...XML, 'x-amzn-requestid': requestId }, body };
}
