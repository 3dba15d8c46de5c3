import { Gathering } from './gather.ts';
import { ENTRIES, type ForeignDirectory } from './types.ts';

/** Directories that are lists in text files. */

/** Lines of a file with the number each begins at; comments left out, lines that begin with a space joined (postmap(1)). */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/, ENTRIES)) {
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const last = lines.length - 1;
    if (/^\s/.test(raw) && last >= 0) lines[last] = `${lines[last] ?? ''} ${raw.trim()}`;
    else lines.push(raw.trim());
  }
  return lines;
}

/**
 * The text behind a Postfix hash or lmdb table (virtual_alias_maps, or aliases(5) with its colons). A key that is a bare
 * domain says only that the domain is ours.
 */
export function readPostfixMap(text: string, into: Gathering, home: string | undefined): void {
  for (const line of logicalLines(text)) {
    const found = /^("[^"]*"|[^\s:]+)\s*:\s+(.+)$/.exec(line) ?? /^("[^"]*"|\S+)\s+(.+)$/.exec(line);
    if (found === null) {
      if (/^[^\s@:]+\.[^\s@:]+$/.test(line)) into.domain(line);
      continue;
    }
    const [, key = '', value = ''] = found;
    if (key.startsWith('/') || key === 'if' || key === 'endif') {
      into.leave(
        `rule ${key}`,
        'it is a pattern',
        'keep such tables as they are: docs/guides/lookup-tables.md',
      );
      continue;
    }
    if (!key.includes('@') && key.includes('.') && home === undefined) {
      into.domain(key);
      continue;
    }
    into.alias(
      key,
      value.split(/[\s,]+/).filter((target) => target !== ''),
      home,
    );
  }
}

/** A Dovecot passwd-file: "name:{SCHEME}hash:uid:gid:gecos:home:shell:extra". */
export function readPasswdFile(text: string, into: Gathering, home: string | undefined): void {
  for (const line of text.split(/\r?\n/, ENTRIES)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [name = '', hash = ''] = line.split(':', 2);
    const quota = /userdb_quota_rule=\*:(?:bytes|storage)=(\d+)([KMGT]?)/i.exec(line);
    const address = name.includes('@') || home === undefined ? name : `${name}@${home}`;
    into.account({ address, hash, quota: quota === null ? undefined : sized(quota[1], quota[2]) });
  }
}

/** postfix-accounts.cf of docker-mailserver: "user@domain|{SHA512-CRYPT}$6$..." with the quotas of dovecot-quotas.cf. */
export function readDockerMailserver(files: {
  readonly accounts: string;
  readonly virtual: string;
  readonly quotas: string;
  readonly regexp: string;
}): ForeignDirectory {
  const into = new Gathering();
  const quotas = new Map<string, number>();
  for (const line of logicalLines(files.quotas)) {
    const found = /^(\S+):(\d+)([KMGT]?)B?$/i.exec(line);
    if (found !== null) quotas.set((found[1] ?? '').toLowerCase(), sized(found[2], found[3]));
  }
  for (const line of logicalLines(files.accounts)) {
    const [address = '', hash = ''] = line.split('|', 2);
    into.account({ address, hash, quota: quotas.get(address.toLowerCase()) });
  }
  readPostfixMap(files.virtual, into, undefined);
  for (const line of logicalLines(files.regexp))
    into.leave(
      `rule ${line.slice(0, 100)}`,
      'it is a pattern',
      'keep such tables as they are: docs/guides/lookup-tables.md',
    );
  return into.done();
}

const UNITS = ['', 'K', 'M', 'G', 'T'];

/** Octets of "5" and "G". */
function sized(count = '0', unit = ''): number {
  const octets = Number(count) * 1024 ** Math.max(0, UNITS.indexOf(unit.toUpperCase()));
  return Number.isSafeInteger(octets) ? octets : 0;
}

/** The workspace of t-lo/mailserver: a bare target of an alias is a user of the main domain. */
export function readWorkspace(files: {
  readonly passwd: string;
  readonly valias: string;
  readonly domains: readonly string[];
}): ForeignDirectory {
  const into = new Gathering();
  for (const name of files.domains) into.domain(name);
  const [home] = files.domains;
  readPasswdFile(files.passwd, into, home);
  readPostfixMap(files.valias, into, home);
  return into.done();
}
