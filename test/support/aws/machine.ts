import { randomBytes } from 'node:crypto';
import type { Answer, Incoming, Prepared, ServiceModule } from './internal.ts';
import { malformed, ServiceError } from './internal.ts';
import type { StsControl } from './types.ts';

const IMDS = '/latest/';
const ECS = '/v2/credentials/';

export function isMachinePath(path: string): 'imds' | 'ecs' | undefined {
  if (path.startsWith(IMDS)) return 'imds';
  return path.startsWith(ECS) ? 'ecs' : undefined;
}

/** Where a machine finds credentials: EC2's metadata (IMDSv2 only) and the containers' endpoint. Unsigned. */
export function machineModule(sts: StsControl, region: string): ServiceModule {
  const tokens = new Set<string>();
  const checkToken = (request: Incoming): void => {
    if (!tokens.has(String(request.headers['x-aws-ec2-metadata-token'] ?? ''))) {
      throw new ServiceError(401, 'Unauthorized', 'IMDSv2 needs a token');
    }
  };
  const role = (): string => {
    if (sts.instanceRole === undefined) throw new ServiceError(404, 'NotFound', 'No role is attached');
    return sts.instanceRole;
  };
  const operations: Record<string, (request: Incoming) => Answer> = {
    GetToken(request) {
      const seconds = request.headers['x-aws-ec2-metadata-token-ttl-seconds'];
      if (request.method !== 'PUT' || seconds === undefined)
        throw malformed('BadRequest', 'A token needs a lifetime');
      const token = randomBytes(30).toString('base64url');
      tokens.add(token);
      return {
        status: 200,
        headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(seconds) },
        body: token,
      };
    },
    ListRoles(request) {
      checkToken(request);
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: role() };
    },
    GetRoleCredentials(request) {
      checkToken(request);
      if (!request.path.endsWith(`/${role()}`)) throw new ServiceError(404, 'NotFound', 'No such role');
      return json({
        Code: 'Success',
        LastUpdated: new Date(Date.now()).toISOString(),
        Type: 'AWS-HMAC',
        ...issued(sts, role()),
      });
    },
    GetRegion(request) {
      checkToken(request);
      return { status: 200, body: region };
    },
    GetContainerCredentials(request) {
      if (request.headers.authorization !== sts.containerToken) {
        throw new ServiceError(403, 'AccessDenied', 'The authorization token is wrong');
      }
      return json({ RoleArn: `arn:aws:iam::123456789012:role/${role()}`, ...issued(sts, role()) });
    },
  };
  return {
    prepare(request): Prepared {
      const operation = operationOf(request.path);
      return {
        operation,
        resource: '',
        run() {
          const run = operations[operation];
          if (run === undefined) throw new ServiceError(404, 'NotFound', `${request.path} is not emulated`);
          return run(request);
        },
      };
    },
    renderError: (error) => ({
      status: error.status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: error.code, message: error.message }),
    }),
  };
}

const ROLES = '/latest/meta-data/iam/security-credentials/';

function operationOf(path: string): string {
  if (path === '/latest/api/token') return 'GetToken';
  if (path === ROLES || `${path}/` === ROLES) return 'ListRoles';
  if (path.startsWith(ROLES)) return 'GetRoleCredentials';
  if (path === '/latest/meta-data/placement/region') return 'GetRegion';
  return path.startsWith(ECS) ? 'GetContainerCredentials' : 'Unknown';
}

function issued(sts: StsControl, roleName: string): Record<string, string> {
  const credentials = sts.issue({ roleName });
  return {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: new Date(credentials.expiresAt).toISOString(),
  };
}

function json(value: Record<string, string>): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
