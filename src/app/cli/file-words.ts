import { errnoCode, errorText, Refusal } from '../../base/errors.ts';

/** What ails a file that a person named, in words. */

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such file or folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'this user has no right to it; run this as root, or give it the right',
  EPERM: 'this user has no right to it; run this as root, or give it the right',
  EROFS: 'its disk can only be read',
  ENOSPC: 'its disk is full',
  EEXIST: 'it is there already',
};

export function fileWords(error: unknown): string {
  return WORDS[errnoCode(error) ?? ''] ?? errorText(error);
}

export function unreadable(path: string, error: unknown): Refusal {
  return new Refusal('bad-input', `${path} cannot be read: ${fileWords(error)}`);
}

/** "/mnt/x: there is no such file or folder", of an error that a file has caused and that names it. */
export function fileProblem(error: unknown): string | undefined {
  const known = WORDS[errnoCode(error) ?? ''];
  if (known === undefined || !(error instanceof Error)) return undefined;
  if ('path' in error) return `${String(error.path)}: ${known}`;
  // Told by the first read only, without a name.
  return errnoCode(error) === 'EISDIR' ? 'a folder was named where a file is wanted' : undefined;
}
