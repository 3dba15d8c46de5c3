import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { LineCutter } from './mbox-lines.ts';
import { fileName, type FolderWriter, type MailWriter, type OutMessage } from './writer.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Write one mboxrd file for each mailbox: `Name.mbox`, those below it in the directory `Name`. */
export function mboxWriter(root: string): MailWriter {
  return {
    async open({ name }) {
      const levels = name.split('/').map(fileName);
      const path = `${join(root, ...levels)}.mbox`;
      makeDirectory(dirname(path));
      const temporary = `${path}.part`;
      const file = await open(temporary, 'w', 0o600);
      return folder(file, () => rename(temporary, path));
    },
    close: async () => undefined,
  };
}

function folder(file: FileHandle, finish: () => Promise<void>): FolderWriter {
  return {
    async write(message, octets) {
      await file.write(`From postern@localhost ${ctime(message.receivedAt)}\n`);
      const cutter = new LineCutter();
      let inHeader = true;
      let ended = true;
      const put = async (lines: ReturnType<LineCutter['push']>): Promise<void> => {
        const out: Buffer[] = [];
        for (const { octets: line, begins } of lines) {
          if (
            inHeader &&
            begins &&
            (line.length === 1 || (line.length === 2 && line[0] === 13)) &&
            line.at(-1) === 10
          ) {
            inHeader = false;
            out.push(Buffer.from(statusFields(message)));
          }
          if (begins && /^>*From /.test(line.toString('latin1', 0, 100))) out.push(Buffer.from('>'));
          out.push(
            line.at(-1) === 10 && line.at(-2) === 13 ? Buffer.concat([line.subarray(0, -2), LF]) : line,
          );
          ended = line.at(-1) === 10;
        }
        if (out.length > 0) await file.write(Buffer.concat(out));
      };
      for await (const piece of octets) await put(cutter.push(piece));
      await put(cutter.end());
      await file.write(ended ? '\n' : '\n\n');
      return 'written';
    },
    async close() {
      await file.datasync();
      await file.close();
      await finish();
    },
  };
}

const LF = Buffer.from('\n');

function statusFields({ flags, keywords }: OutMessage): string {
  const marks = [
    flags & Flag.Answered ? 'A' : '',
    flags & Flag.Flagged ? 'F' : '',
    flags & Flag.Draft ? 'T' : '',
    flags & Flag.Deleted ? 'D' : '',
  ].join('');
  const lines = [`Status: ${flags & Flag.Seen ? 'RO' : 'O'}`];
  if (marks !== '') lines.push(`X-Status: ${marks}`);
  if (keywords.length > 0) lines.push(`X-Keywords: ${keywords.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

function two(value: number, fill = '0'): string {
  return String(value).padStart(2, fill);
}

/** "Thu Jan  1 00:00:00 1970", in UTC. */
function ctime(ms: number): string {
  const date = new Date(ms);
  const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate(), ' ')} ${time} ${date.getUTCFullYear()}`;
}
