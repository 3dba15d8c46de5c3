import { SCRIPT_BYTES } from '../../../data/sieve/types.ts';
import { checkText } from '../../../flow/sieve/engine.ts';
import { type Blob, blobOctets } from '../blobs.ts';
import type { Context } from '../context.ts';
import { SetError } from '../errors.ts';
import type { View } from '../view.ts';

/** The text of a blob that is to be a script. @throws SetError 'blobNotFound', 'tooLarge', 'invalidSieve' */
export async function scriptText(blob: Blob | undefined, blobId: string): Promise<string> {
  if (blob === undefined) throw new SetError('blobNotFound', undefined, { notFound: [blobId] });
  const octets = await blobOctets(blob, SCRIPT_BYTES);
  if (octets === undefined)
    throw new SetError('tooLarge', `A script may have at most ${SCRIPT_BYTES} octets.`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw new SetError('invalidSieve', 'The script is no UTF-8.');
  }
}

/** @throws SetError 'invalidSieve' that says where and why */
export async function requireValid(context: Context, view: View, text: string): Promise<void> {
  const { errors } = await checkText(context.options.scripts, view.accountId, text);
  if (errors.length === 0) return;
  const description = errors.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  throw new SetError('invalidSieve', description.join('\n'));
}
