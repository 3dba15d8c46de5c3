import type { IncomingMessage, ServerResponse } from 'node:http';
import { CHALLENGE_PATH, type HttpProofs } from '../../../net/acme/solvers.ts';

/** Characters of a path that are looked at. */
const PATH_LENGTH = 500;

/**
 * Shows authorities what they look for (RFC 8555 section 8.3), under whatever name they come: true when the request was
 * for that and is answered.
 */
export function createAcmeChallenge(
  proofs: HttpProofs,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const path = (request.url ?? '').slice(0, PATH_LENGTH);
    if (!path.startsWith(CHALLENGE_PATH)) return false;
    const proof = proofs.proof(path.slice(CHALLENGE_PATH.length));
    const known = proof !== undefined && (request.method === 'GET' || request.method === 'HEAD');
    const body = known ? proof : 'There is no challenge of this name at present.\n';
    response.writeHead(known ? 200 : 404, {
      'Content-Type': 'application/octet-stream',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    return true;
  };
}
