import { resolve } from 'node:path';
import { Refusal } from '../../../base/errors.ts';
import { fileTrouble, readSmallFile } from '../../../base/small-file.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain } from '../plain-text.ts';
import { askSecret } from '../prompt.ts';

const { secrets } = operations;

export const secretCommands: readonly CliCommand[] = [
  {
    words: ['secret', 'put'],
    summary: 'keep a secret in a file beside the data, for settings that name one',
    details:
      'The text is asked for, or read from a file; it is never taken from the command line and never shown again. What is printed is the path to give to a setting, such as secret_file or credentials_file.',
    args: [{ name: 'NAME', help: 'of the file: a-z, 0-9, ".", "_" and "-"' }],
    options: {
      file: { value: 'FILE', help: 'read the text from here' },
      replace: { help: 'put it in the place of another one of that name' },
    },
    example: 'secret put smarthost --file password',
    async run({ admin, io, arg, text, on }) {
      const file = text('file');
      const secret = file === undefined ? await askSecret(io, 'Secret: ') : await fromFile(io.cwd, file);
      if (secret === '') throw new UsageError('the secret is empty');
      const value = await admin.call(secrets.put, { name: arg(0), text: secret, replace: on('replace') });
      const words = value.state === 'same' ? 'It was there already' : 'It is kept';
      return said(`${words}: ${plain(value.path)}`, value);
    },
  },
];

async function fromFile(cwd: string, name: string): Promise<string> {
  const path = resolve(cwd, name);
  try {
    return (await readSmallFile(path)).toString('utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Refusal('bad-input', `cannot read ${path}: ${fileTrouble(error)}`);
  }
}
