import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { EML_INDEX, type EmlIndexLine } from './eml.ts';
import { writeDurably } from './maildir-writer.ts';
import { fileName, type MailWriter } from './writer.ts';

/** Write a file for each message, directories for mailboxes, and in each an index with flags and times. */
export function emlWriter(root: string): MailWriter {
  return {
    async open({ name, uidvalidity }) {
      const path = join(root, ...name.split('/').map(fileName));
      makeDirectory(path);
      const there = new Set(await readdir(path));
      const index: string[] = [];
      return {
        async write({ uid, flags, keywords, receivedAt }, octets) {
          const file = `${uidvalidity}-${uid}.eml`;
          const line: EmlIndexLine = { file, flags, keywords, receivedAt };
          index.push(`${JSON.stringify(line)}\n`);
          if (!there.has(file)) {
            await writeDurably(join(path, `.${file}.part`), join(path, file), octets, receivedAt);
            return 'written';
          }
          for await (const piece of octets) void piece;
          return 'known';
        },
        async close() {
          const file = join(path, EML_INDEX);
          await writeFile(`${file}.part`, index.join(''), { mode: 0o600 });
          await rename(`${file}.part`, file);
        },
      };
    },
    close: async () => undefined,
  };
}
