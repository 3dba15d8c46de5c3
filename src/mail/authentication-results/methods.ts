/** What each method found, as results of Authentication-Results (RFC 8601 section 2.7, RFC 8617 section 4.1.1, RFC 9989 section 9). */
import type { ArcResult } from '../arc/verify.ts';
import type { DkimResult } from '../dkim/verify.ts';
import type { DmarcResult } from '../dmarc/check.ts';
import type { ReverseResult } from '../iprev.ts';
import type { SpfResult } from '../spf/check.ts';
import type { MethodResult, Property } from './build.ts';

/** Drops the properties that are not known. */
function known(...properties: readonly (readonly [string, string | undefined])[]): Property[] {
  return properties.flatMap(([name, value]): Property[] => (value === undefined ? [] : [[name, value]]));
}

/** `sender` is the identity as the client gave it: the reverse-path, or the argument of HELO. */
export function spfMethod(spf: SpfResult, sender: string): MethodResult {
  const property = spf.identity === 'helo' ? 'smtp.helo' : 'smtp.mailfrom';
  return { method: 'spf', result: spf.result, reason: spf.reason, properties: known([property, sender]) };
}

/** `header.b` tells apart signatures of one domain (RFC 6008). */
export function dkimMethod(dkim: DkimResult): MethodResult {
  const { domain, selector, algorithm, signatureStart, keyBits } = dkim;
  return {
    method: 'dkim',
    result: dkim.status,
    ...(keyBits !== undefined && { comment: `${keyBits}-bit key` }),
    ...(dkim.status !== 'pass' && dkim.status !== 'none' && { reason: dkim.reason }),
    properties: known(
      ['header.d', domain],
      ['header.s', selector],
      ['header.a', algorithm],
      ['header.b', signatureStart],
    ),
  };
}

export function dmarcMethod(dmarc: DmarcResult): MethodResult {
  return {
    method: 'dmarc',
    result: dmarc.result,
    ...(dmarc.result !== 'pass' && { reason: dmarc.reason }),
    properties: known(
      ['policy.dmarc', dmarc.policy],
      ['header.from', dmarc.domain === '' ? undefined : dmarc.domain],
    ),
  };
}

/** A chain that could not be checked is left out: RFC 8617 knows none, fail and pass only. */
export function arcMethod(arc: ArcResult): MethodResult | undefined {
  if (arc.status === 'temperror') return undefined;
  const last = arc.links.at(-1);
  return {
    method: 'arc',
    result: arc.status,
    ...(arc.status === 'fail' && { reason: arc.reason }),
    ...(arc.status === 'pass' && last !== undefined && { comment: `i=${last.instance} ${last.domain}` }),
  };
}

export function iprevMethod(iprev: ReverseResult): MethodResult {
  return {
    method: 'iprev',
    result: iprev.result,
    ...(iprev.name === undefined ? { reason: iprev.reason } : { comment: iprev.name }),
    properties: known(['policy.iprev', iprev.ip === '' ? undefined : iprev.ip]),
  };
}

/** For mail an account submitted (RFC 8601 section 2.7.4). */
export function authMethod(login: { readonly address: string; readonly mechanism: string }): MethodResult {
  return {
    method: 'auth',
    result: 'pass',
    comment: login.mechanism,
    properties: [['smtp.auth', login.address]],
  };
}
