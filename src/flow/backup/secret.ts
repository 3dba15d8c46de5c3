import { readFile, stat } from 'node:fs/promises';
import { errorText, Refusal } from '../../base/errors.ts';
import { KEY_FILE_BYTES, type Secret } from '../../data/backup/keys.ts';

/** Octets of a passphrase's file that are read. */
const PASSPHRASE_BYTES = 4096;

/** The secret from one of the files. Refusal 'bad-input' that names the file which is missing or cannot be read. */
export async function readSecret(files: {
  readonly passphrase_file: string;
  readonly key_file: string;
}): Promise<Secret> {
  const { passphrase_file: passphraseFile, key_file: keyFile } = files;
  if (passphraseFile !== '' && keyFile !== '')
    throw new Refusal('bad-input', 'Name a file with a passphrase or a key file, not both.');
  if (keyFile !== '') {
    const key = await readSmall(keyFile, KEY_FILE_BYTES.most);
    if (key.length >= KEY_FILE_BYTES.least) return { key };
    throw new Refusal(
      'bad-input',
      `${keyFile} has ${key.length} octets; a key file has ${KEY_FILE_BYTES.least} or more.`,
    );
  }
  if (passphraseFile === '')
    throw new Refusal('bad-input', 'Backups are encrypted: name a file with a passphrase, or a key file.');
  const [passphrase = ''] = (await readSmall(passphraseFile, PASSPHRASE_BYTES))
    .toString('utf8')
    .split(/\r?\n/);
  if (passphrase !== '') return { passphrase };
  throw new Refusal('bad-input', `${passphraseFile} is empty.`);
}

async function readSmall(path: string, most: number): Promise<Buffer> {
  try {
    if ((await stat(path)).size > most) throw new Error('it is too large');
    return await readFile(path);
  } catch (error) {
    throw new Refusal('bad-input', `Cannot read ${path}: ${errorText(error)}.`);
  }
}
