import { numberParts, partById } from '../../../mail/jmap/body-parts.ts';
import { decodeBody } from '../../../mail/message/decode.ts';
import { isMultipart, type Part } from '../../../mail/message/structure.ts';
import { octetSource } from './source.ts';

/** The part of a multipart at a place, "e1.2"; one within a multipart, never the message itself. */
export function entityAt(root: Part, place: string): Part | undefined {
  let part: Part | undefined = root;
  for (const number of place.slice(1).split('.'))
    part = part !== undefined && isMultipart(part) ? part.children[Number(number) - 1] : undefined;
  return part;
}

/** A part of a message as a blob id names it: "1.2" decoded, "e1.2" as it stands there. Undefined: there is none. */
export function partWithin(octets: Buffer, partId: string): Buffer | undefined {
  const { root } = octetSource(octets, '').structure;
  if (partId.startsWith('e')) {
    const entity = entityAt(root, partId);
    return entity && octets.subarray(entity.headerStart, entity.bodyEnd);
  }
  const part = partById(numberParts(root), partId)?.part;
  return part && decodeBody(octets.subarray(part.bodyStart, part.bodyEnd), part.encoding);
}
