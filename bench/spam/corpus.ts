/** The development corpus: read once, put in the order of time, each message with the source that it came from. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Label = 'ham' | 'spam';

export interface Sample {
  /** Place in the order of time, from 0; also the key of its cached scores. */
  readonly index: number;
  readonly label: Label;
  readonly path: string;
  /** Who collected it or through which list it came: what leave-one-source-out leaves out. */
  readonly source: string;
  /** Domain of the From address, its last two labels: who wrote it. */
  readonly sender: string;
  readonly bytes: Buffer;
}

/** Folders of the corpus and what their messages are. */
const FOLDERS: readonly (readonly [string, Label])[] = [
  ['ham', 'ham'],
  ['hard-ham', 'ham'],
  ['spam', 'spam'],
];

/** Header words that name a source; the first that fits decides. Used to split, never to classify. */
const SOURCES: readonly (readonly [string, RegExp])[] = [
  ['fork', /^(?:x-beenthere|list-id):.*fork/im],
  ['freshrpms', /^x-beenthere:.*rpm-/im],
  ['teana', /^mailing-list:.*zzzzteana/im],
  ['antispam', /^x-beenthere:.*(?:spamassassin-|razor-users|spambayes)/im],
  ['exmh', /^x-beenthere:.*exmh/im],
  ['ilug', /^(?:x-beenthere|list-id):.*linux\.ie/im],
  ['feeds', /^(?:to|delivered-to):.*rssfeeds|^url: ?http/im],
  ['lists', /^(?:x-beenthere|list-id|x-mailing-list|mailing-list):/im],
];
const HEADER_BYTES = 16 * 1024;

/** Reads `path`: the unpacked folder, or the .tar.xz, which is unpacked under the temporary directory once. */
export function readCorpus(path: string): Sample[] {
  const root = path.endsWith('.tar.xz') ? unpack(path) : path;
  const base = existsSync(join(root, 'ham')) ? root : join(root, 'spam-dev');
  const placed: { at: number; label: Label; path: string; folder: string }[] = [];
  for (const [folder, label] of FOLDERS) {
    const names = readdirSync(join(base, folder)).toSorted();
    for (const [i, name] of names.entries()) {
      // The folders cover the same months: messages at the same share of their folder are neighbours.
      placed.push({ at: (i + 0.5) / names.length, label, path: join(base, folder, name), folder });
    }
  }
  placed.sort((a, b) => a.at - b.at || (a.path < b.path ? -1 : 1));
  return placed.map((one, index) => {
    const bytes = readFileSync(one.path);
    const header = headerOf(bytes);
    const source = one.folder === 'hard-ham' ? 'newsletters' : sourceOf(header);
    return { index, label: one.label, path: one.path, source, sender: senderOf(header), bytes };
  });
}

/** The header, unfolded. */
function headerOf(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, HEADER_BYTES);
  const end = text.search(/\r?\n\r?\n/);
  return (end < 0 ? text : text.slice(0, end)).replace(/\r?\n[ \t]/g, ' ');
}

function senderOf(header: string): string {
  const from = /^from:(.*)$/im.exec(header)?.[1] ?? '';
  const domain = /@([\w.-]+)/.exec(from)?.[1]?.toLowerCase() ?? from.trim();
  return domain.split('.').slice(-2).join('.');
}

function sourceOf(header: string): string {
  return SOURCES.find(([, pattern]) => pattern.test(header))?.[0] ?? 'direct';
}

/** Fields that every mail has, whoever collected it. */
const BARE = /^(?:from|to|subject|content-type|content-transfer-encoding):/i;

/** The same message with no more header than a stranger's archive may have; written out for filters that read files. */
export function bare(sample: Sample): Sample {
  const text = sample.bytes.toString('latin1');
  const end = text.search(/\r?\n\r?\n/);
  const fields = (end < 0 ? text : text.slice(0, end)).split(/\r?\n(?![ \t])/);
  const kept = fields.filter((field) => BARE.test(field)).join('\n');
  const bytes = Buffer.from(`${kept}${end < 0 ? '\n\n' : text.slice(end)}`, 'latin1');
  const folder = join(tmpdir(), 'postern-spam-bare');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${sample.index}-${sample.label}`);
  writeFileSync(path, bytes);
  return { ...sample, path, bytes };
}

function unpack(archive: string): string {
  const target = join(tmpdir(), 'postern-spam-corpus');
  if (existsSync(target) && statSync(target).isDirectory()) return target;
  const fresh = mkdtempSync(join(tmpdir(), 'postern-spam-unpack-'));
  mkdirSync(fresh, { recursive: true });
  execFileSync('tar', ['xJf', archive, '-C', fresh]);
  renameSync(fresh, target);
  return target;
}
