import { fromBase64 } from './security-find.ts';

/** Characters of an Autocrypt field that is looked at. */
const LONGEST = 96 * 1024;

/**
 * The key in an Autocrypt field (Autocrypt Level 1, section 2.1), when there is one such field, for this address;
 * undefined otherwise.
 */
export function autocryptKey(fields: readonly string[], sender: string): Uint8Array<ArrayBuffer> | undefined {
  const [field] = fields;
  if (field === undefined || fields.length !== 1 || field.length > LONGEST || sender === '') return undefined;
  let address: string | undefined;
  let key: string | undefined;
  for (const attribute of field.split(';')) {
    const equals = attribute.indexOf('=');
    const name = attribute.slice(0, equals).trim().toLowerCase();
    const value = attribute.slice(equals + 1).trim();
    if (equals < 1) continue;
    if (name === 'addr') address = value.toLowerCase();
    else if (name === 'keydata') key = value;
    // What is unknown and critical makes the field worth nothing.
    else if (name !== 'prefer-encrypt' && !name.startsWith('_')) return undefined;
  }
  return address === sender && key !== undefined && key !== '' ? fromBase64(key) : undefined;
}
