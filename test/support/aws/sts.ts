import { randomBytes } from 'node:crypto';
import type { Core, ServiceModule } from './internal.ts';
import { lastSegment, ServiceError } from './internal.ts';
import { prepareQuery, type QueryService, renderQueryError } from './query.ts';
import type { KeyRing } from './signature.ts';
import type { StsControl, TemporaryCredentials } from './types.ts';
import type { XmlValue } from './xml.ts';

interface Key {
  readonly secret: string;
  readonly sessionToken?: string;
  expiresAt?: number;
  /** "user/postern" or "assumed-role/NAME/SESSION" */
  readonly identity: string;
}

export interface Sts {
  readonly keys: KeyRing;
  readonly module: ServiceModule;
  readonly control: StsControl;
}

interface Role {
  readonly arn: string;
  readonly externalId?: string;
  readonly webIdentityToken?: string;
}

const HOUR = 3_600_000;

/** STS, and the keys that all the services accept. */
export function createSts(core: Core, accessKeyId: string, secretAccessKey: string): Sts {
  const keys = new Map<string, Key>([[accessKeyId, { secret: secretAccessKey, identity: 'user/postern' }]]);
  const roles = new Map<string, Role>();
  const issue = (identity: string, lifetimeMs: number): TemporaryCredentials => {
    const credentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: `IQoJ${randomBytes(120).toString('base64')}`,
      expiresAt: Date.now() + lifetimeMs,
    };
    const { secretAccessKey: secret, sessionToken, expiresAt } = credentials;
    keys.set(credentials.accessKeyId, { secret, sessionToken, expiresAt, identity });
    return credentials;
  };
  const control: StsControl = {
    createRole(name, options = {}) {
      const arn = `arn:aws:iam::${core.accountId}:role/${name}`;
      roles.set(arn, { arn, ...options });
      return arn;
    },
    issue: ({ roleName = 'test-role', lifetimeMs = control.lifetimeMs } = {}) =>
      issue(`assumed-role/${roleName}/test`, lifetimeMs),
    expire(id) {
      const key = keys.get(id);
      if (key !== undefined) key.expiresAt = 0;
    },
    addKey: (id, secret) => void keys.set(id, { secret, identity: `user/${id}` }),
    instanceRole: undefined,
    get imdsEndpoint() {
      return core.endpoint();
    },
    get containerUrl() {
      return `${core.endpoint()}/v2/credentials/postern`;
    },
    containerToken: `token-${randomBytes(12).toString('hex')}`,
    lifetimeMs: HOUR,
  };
  const service = stsService(core, { keys, roles, issue, control });
  return {
    keys: { find: (id) => keys.get(id) },
    control,
    module: {
      prepare: (request) => prepareQuery(service, request),
      renderError: (error, requestId) => renderQueryError(service, error, requestId),
    },
  };
}

function stsService(
  core: Core,
  parts: {
    keys: ReadonlyMap<string, Key>;
    roles: ReadonlyMap<string, Role>;
    issue: (identity: string, lifetimeMs: number) => TemporaryCredentials;
    control: StsControl;
  },
): QueryService {
  const assume = (form: URLSearchParams, allowed: (role: Role) => boolean): Record<string, XmlValue> => {
    const arn = form.get('RoleArn') ?? '';
    const session = form.get('RoleSessionName') ?? '';
    const role = parts.roles.get(arn);
    if (role === undefined || !allowed(role)) {
      const action = form.get('Action') ?? '';
      throw new ServiceError(
        403,
        'AccessDenied',
        `Not authorized to perform sts:${action} on resource: ${arn}`,
      );
    }
    const seconds = form.get('DurationSeconds');
    const lifetime = seconds === null ? parts.control.lifetimeMs : Number(seconds) * 1000;
    const identity = `assumed-role/${lastSegment(arn)}/${session}`;
    const issued = parts.issue(identity, Math.min(lifetime, parts.control.lifetimeMs));
    return {
      Credentials: {
        AccessKeyId: issued.accessKeyId,
        SecretAccessKey: issued.secretAccessKey,
        SessionToken: issued.sessionToken,
        Expiration: new Date(issued.expiresAt).toISOString(),
      },
      AssumedRoleUser: {
        AssumedRoleId: `AROAEMULATOR:${session}`,
        Arn: `arn:aws:sts::${core.accountId}:${identity}`,
      },
    };
  };
  return {
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: {
      GetCallerIdentity: {
        required: [],
        run(_, request) {
          const identity = parts.keys.get(request.accessKeyId)?.identity ?? 'user/unknown';
          const kind = identity.startsWith('user/') ? 'iam' : 'sts';
          return {
            Arn: `arn:aws:${kind}::${core.accountId}:${identity}`,
            UserId: 'AIDAEMULATOR',
            Account: core.accountId,
          };
        },
      },
      AssumeRole: {
        required: ['RoleArn', 'RoleSessionName'],
        optional: ['ExternalId', 'DurationSeconds', 'Policy', 'Tags.', 'SourceIdentity'],
        resource: (form) => lastSegment(form.get('RoleArn') ?? ''),
        run: (form) =>
          assume(form, ({ externalId, webIdentityToken }) => {
            return webIdentityToken === undefined && externalId === (form.get('ExternalId') ?? undefined);
          }),
      },
      AssumeRoleWithWebIdentity: {
        required: ['RoleArn', 'RoleSessionName', 'WebIdentityToken'],
        optional: ['DurationSeconds', 'Policy', 'ProviderId'],
        resource: (form) => lastSegment(form.get('RoleArn') ?? ''),
        run: (form) =>
          assume(
            form,
            ({ webIdentityToken }) => webIdentityToken === (form.get('WebIdentityToken') ?? undefined),
          ),
      },
    },
  };
}
