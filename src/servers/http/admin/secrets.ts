import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errnoCode, errorText, Refusal } from '../../../base/errors.ts';
import { operation } from './operation.ts';

/** Secrets that settings name by file: kept in the data directory, readable to the server's user alone. */
const DIRECTORY = 'secrets';
/** Characters of a secret. */
const SECRET_LENGTH = 16_384;

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: 'it takes up to 64 of a-z, 0-9, ".", "_" and "-"',
});

const put = operation({
  method: 'PUT',
  path: '/secrets/:name',
  summary:
    'Keep a secret in a file of the data directory, for settings that name one; its text is never shown again',
  access: 'administrator',
  input: z.strictObject({
    name,
    text: z.string().min(1).max(SECRET_LENGTH),
    /** Replace a file of that name with another text. */
    replace: z.boolean().default(false),
    /** Tell what would be, change nothing. */
    look: z.boolean().default(false),
  }),
  output: z.object({ path: z.string(), state: z.enum(['new', 'same', 'other']) }),
  async run({ facts, store }, { name: file, text, replace, look }, actor) {
    const directory = join(facts.dataDirectory, DIRECTORY);
    const path = join(directory, file);
    const before = await readFile(path, 'utf8').catch((error: unknown) => {
      if (errnoCode(error) === 'ENOENT') return undefined;
      throw new Refusal('conflict', `${path} cannot be read: ${errorText(error)}.`);
    });
    const state: 'new' | 'same' | 'other' = before === undefined ? 'new' : before === text ? 'same' : 'other';
    if (look || state === 'same') return { path, state };
    if (state === 'other' && !replace)
      throw new Refusal(
        'conflict',
        `${path} is there with another text; remove it, or ask for it to be replaced.`,
      );
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeWhole(path, text);
    await store.write.run('directory.keptSecret', { actor, name: file });
    return { path, state };
  },
});

/** The old text or the new one, whatever happens meanwhile, and never readable to others. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await using file = await open(part, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(part, path);
    await chmod(path, 0o600);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

export const secrets = { put };
