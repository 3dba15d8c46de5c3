import { emailObjects } from '../methods/email-get.ts';
import type { Context } from '../context.ts';
import { isObject, type Json, type JsonObject, member } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';
import type { View } from '../view.ts';
import { BODY_PROPERTIES, isBodyProperty } from './body.ts';
import { isEmailProperty } from './properties.ts';

/** Names of properties of body parts that stand anywhere in a value. */
function partProperties(value: Json | undefined, found: Set<string>): void {
  if (Array.isArray(value)) for (const each of value as readonly Json[]) partProperties(each, found);
  else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (isBodyProperty(name)) found.add(name);
      partProperties(inner, found);
    }
  }
}

/** Whether all that is said is so; of objects less may be said than there is. */
function agrees(said: Json | undefined, now: Json | undefined): boolean {
  if (Array.isArray(said))
    return (
      Array.isArray(now) &&
      said.length === now.length &&
      said.every((each: Json, i) => agrees(each, now[i] as Json))
    );
  if (!isObject(said)) return said === now;
  if (!isObject(now)) return false;
  if (said['isTruncated'] === true && typeof said['value'] === 'string')
    return typeof now['value'] === 'string' && now['value'].startsWith(said['value']);
  return Object.entries(said).every(([name, value]) => agrees(value, member(now, name)));
}

/**
 * Of the properties of an email that never change, those that are said to be otherwise. RFC 8620 section 5.3: who sends back
 * the whole of what was read has changed nothing.
 */
export async function otherwise(
  context: Context,
  view: View,
  id: number,
  said: JsonObject,
): Promise<string[]> {
  const names = Object.keys(said);
  const known = names.filter((name) => isEmailProperty(name));
  const inParts = new Set(BODY_PROPERTIES);
  for (const name of ['bodyStructure', 'textBody', 'htmlBody', 'attachments'])
    partProperties(said[name], inParts);
  const [now] = await emailObjects(context, view, [id], {
    properties: known,
    bodyProperties: [...inParts],
    values: { text: false, html: false, all: known.includes('bodyValues'), max: 0 },
    left: JMAP_LIMITS.answerBodyBytes,
  });
  return names.filter((name) => now === undefined || !agrees(said[name], member(now, name)));
}
