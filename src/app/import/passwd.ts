import { isKnownHash } from '../../data/directory/imported-hashes.ts';

/** A user of a Dovecot passwd-file, `name:{SCHEME}hash:uid:gid:gecos:home:shell:extra`. */
export interface PasswdUser {
  readonly line: number;
  readonly name: string;
  readonly hash: string;
}

export interface PasswdFile {
  readonly users: readonly PasswdUser[];
  /** Lines that cannot be taken, by user. */
  readonly problems: readonly { readonly line: number; readonly name: string; readonly why: string }[];
}

/** Users of one file. */
const USERS = 100_000;
/** Characters of a hash. */
const HASH_LENGTH = 1024;

/** A hash without a scheme is one of crypt(3), as passwd-file has it. */
export function parsePasswd(text: string): PasswdFile {
  const users = new Map<string, PasswdUser>();
  const problems: { line: number; name: string; why: string }[] = [];
  for (const [index, each] of text.split(/\r?\n/, USERS).entries()) {
    const line = index + 1;
    const entry = each.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const [name = '', secret = ''] = entry.split(':', 2);
    const hash = secret === '' || secret.startsWith('{') ? secret : `{CRYPT}${secret}`;
    const why = nameProblem(name, users) ?? hashProblem(hash);
    if (why === undefined) users.set(name.toLowerCase(), { line, name, hash });
    else problems.push({ line, name: name.slice(0, 100), why });
  }
  return { users: [...users.values()], problems };
}

function nameProblem(name: string, users: ReadonlyMap<string, PasswdUser>): string | undefined {
  if (!/^[^\s@"(),:;<>[\\\]]{1,64}(?:@[^\s@]{1,253})?$/.test(name))
    return 'its name cannot be that of a mail account';
  const first = users.get(name.toLowerCase());
  return first === undefined ? undefined : `line ${first.line} has the same name`;
}

function hashProblem(hash: string): string | undefined {
  if (hash === '' || /^\{[^}]*\}[!*]?$/.test(hash)) return 'it has no password';
  if (hash.length > HASH_LENGTH || /[^\x21-\x7e]/.test(hash.replace(/^\{PLAIN\}|^\{CLEARTEXT\}/i, ''))) {
    if (!/^\{(?:PLAIN|CLEARTEXT)\}/i.test(hash)) return 'its password hash is damaged';
  }
  if (isKnownHash(hash)) return undefined;
  const scheme = /^\{([^}]{1,40})\}/.exec(hash)?.[1] ?? '';
  return `passwords of the scheme ${scheme} cannot be checked here`;
}
