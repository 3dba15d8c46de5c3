import { forEachField, unfold } from '../../../mail/message/headers.ts';
import type { MessageContent } from '../transport.ts';

/** Octets of a message in which its header section is looked for (limits.headerBytes and what we put before it). */
const HEADER_MAX = 320 * 1024;

/**
 * Whether a message says "TLS-Required: No" (RFC 8689 section 3): its author wants it delivered even where the
 * recipient's policy would not have it. A field that is there twice, or says anything else, means nothing.
 */
export async function waivesTls(content: MessageContent): Promise<boolean> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of content.open()) {
    parts.push(part);
    size += part.length;
    if (size >= HEADER_MAX || endsIn(part, parts.at(-2))) break;
  }
  const text = Buffer.concat(parts).toString('latin1');
  const values: string[] = [];
  forEachField(text, 0, ({ name, valueStart, end }) => {
    if (name === 'tls-required') values.push(unfold(text.slice(valueStart, end)));
    return true;
  });
  return values.length === 1 && values[0]?.trim().toLowerCase() === 'no';
}

/** Whether the blank line stands in this part, or across its beginning. */
function endsIn(part: Buffer, before: Buffer | undefined): boolean {
  const tail = before?.subarray(-3) ?? Buffer.alloc(0);
  return part.includes('\r\n\r\n') || Buffer.concat([tail, part.subarray(0, 3)]).includes('\r\n\r\n');
}
