import type { Enqueue } from '../../data/queue/types.ts';
import { isAscii } from '../../mail/address/domain.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';
import type { FlowDeps } from '../deps.ts';
import type { MailParams } from '../service.ts';

/** When to warn the sender of a message that is queued now, and when to give up. */
export function queueTimes(deps: FlowDeps): Pick<Enqueue, 'warnAt' | 'expiresAt'> {
  const now = deps.clock.now();
  const { warnAfterMs, expireAfterMs } = deps.settings;
  return {
    warnAt: warnAfterMs === undefined ? undefined : now + warnAfterMs,
    expiresAt: expireAfterMs === undefined ? undefined : now + expireAfterMs,
  };
}

/**
 * What the next hop must be able to take. Many clients declare 8BITMIME or SMTPUTF8 always; asking a poorer host for
 * what a message does not need would bounce it for nothing (RFC 6152 section 3, RFC 6531 section 3.5). `originated`: a
 * message of ours with octets over 127 that was not declared so is declared now, and re-encoded where it must be.
 */
export function neededParams(
  structure: MessageStructure,
  params: Pick<MailParams, 'body' | 'smtputf8'>,
  addresses: readonly string[],
  originated: boolean,
): Pick<Enqueue, 'body' | 'smtputf8'> {
  const { eightBitHeader, eightBitPartHeader, eightBitBody, hasNul, hasBareCr, hasBareLf } = structure;
  const binary = hasNul || hasBareCr || hasBareLf || structure.longestLine > LINE_MAX;
  const eightBit = eightBitHeader || eightBitPartHeader || eightBitBody;
  const utf8 = eightBitHeader || eightBitPartHeader || !addresses.every(isAscii);
  const plain = eightBit && (originated || params.body !== '7BIT') ? '8BITMIME' : '7BIT';
  return {
    body: params.body === 'BINARYMIME' && binary ? 'BINARYMIME' : plain,
    smtputf8: params.smtputf8 && utf8,
  };
}

/** RFC 5321 4.5.3.1.6: octets of a line, CRLF included, that every host takes. */
const LINE_MAX = 1000;
