import type { QueueMessage } from '../../data/queue/types.ts';
import { displayAddresses } from '../../mail/message/addresses.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { RECODE_MAX_BYTES, recodeTo7bit } from '../../mail/message/recode.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { firstOctets } from './content.ts';
import { hashed, signMessage } from './sign.ts';
import type { MessageContent } from './transport.ts';

/**
 * A message of ours re-encoded for a next hop without 8BITMIME, its DKIM signatures (which stand first and no longer
 * hold) replaced by new ones. Undefined when it cannot be: signed by its author, 8-bit header, too large.
 */
export async function recodedFor7bit(
  deps: FlowDeps,
  message: QueueMessage,
  content: MessageContent,
): Promise<Buffer | undefined> {
  if (content.size > RECODE_MAX_BYTES) return undefined;
  const whole = await firstOctets(content, content.size);
  const recoded = recodeTo7bit(withoutLeadingSignatures(whole));
  if (recoded.kind === 'impossible') return undefined;
  const { header, bodyHash } = hashed(recoded.message);
  const author = displayAddresses(readHeader(header).first('from') ?? '', 1)[0]?.address ?? '';
  const fallback = message.reversePath === '' ? [] : [destinationOf(message.reversePath)];
  const { fields } = await signMessage(deps, [destinationOf(author), ...fallback], header, bodyHash);
  return Buffer.concat([fields, recoded.message]);
}

function withoutLeadingSignatures(message: Buffer): Buffer {
  let end = 0;
  for (const field of readHeader(message).fields) {
    if (field.name !== 'dkim-signature') break;
    end = field.end;
  }
  return message.subarray(end);
}
