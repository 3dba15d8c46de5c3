import { createHash } from 'node:crypto';
import type { StsPolicy } from './policy.ts';

/** Characters of an id; 32 are allowed (RFC 8461 section 3.1). */
const ID_LENGTH = 20;

/** The policy file of a domain (RFC 8461 section 3.2). `maxAge` in seconds. */
export function stsPolicyText({ mode, mx, maxAge }: Pick<StsPolicy, 'mode' | 'mx' | 'maxAge'>): string {
  const hosts = mx.map((host) => `mx: ${host}\r\n`).join('');
  return `version: STSv1\r\nmode: ${mode}\r\n${hosts}max_age: ${maxAge}\r\n`;
}

/** The id of the DNS record that goes with a policy: another one whenever the policy is another one. */
export function stsPolicyId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, ID_LENGTH);
}
