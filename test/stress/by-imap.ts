import type { Person } from './actor.ts';
import { Connection } from './connection.ts';
import { must, World } from './world.ts';

/** An account as a fresh IMAP session sees it, put together as JMAP does. */
export interface Shown {
  /** By EMAILID: "F1,F2 $seen,work". */
  readonly emails: ReadonlyMap<string, string>;
  /** Of mailboxes by MAILBOXID. */
  readonly counts: ReadonlyMap<string, { readonly total: number; readonly unread: number }>;
}

const KEYWORDS: Readonly<Record<string, string>> = {
  '\\seen': '$seen',
  '\\flagged': '$flagged',
  '\\answered': '$answered',
  '\\draft': '$draft',
};

interface Email {
  readonly boxes: Set<string>;
  readonly sets: Set<string>[];
}

/** Read is what is read everywhere; other keywords count anywhere (RFC 8621 section 4.1.1). */
function keywordsOf({ sets }: Email): Set<string> {
  const all = new Set(sets.flatMap((set) => [...set]));
  if (!sets.every((set) => set.has('$seen'))) all.delete('$seen');
  return all;
}

export async function emailsByImap({ imap }: { readonly imap: number }, person: Person): Promise<Shown> {
  const connection = await Connection.open(new World(), imap);
  const ok = async (text: string) => {
    const { status, code, untagged } = await connection.selectedOnly(text);
    must(status === 'OK', () => `${text}: ${status} [${code}]`);
    return untagged;
  };
  await ok(`LOGIN ${person.login}`);
  const found = new Map<string, Email>();
  const inBox = new Map<string, Set<string>>();
  for (const name of await ownNames(connection)) {
    const status = (await ok(`STATUS ${name} (MAILBOXID)`)).find((each) => each.kind === 'status');
    const boxId = only(status?.items.get('MAILBOXID'));
    const ids = new Set<string>();
    inBox.set(boxId, ids);
    await ok(`EXAMINE ${name}`);
    for (const response of await ok('UID FETCH 1:* (FLAGS EMAILID)')) {
      if (response.kind !== 'fetch' || !response.items.has('EMAILID')) continue;
      const flags = (response.items.get('FLAGS') as readonly string[]).map((flag) => flag.toLowerCase());
      // JMAP shows nothing of what has it (RFC 8621 section 4.1.1).
      if (flags.includes('\\deleted')) continue;
      const id = only(response.items.get('EMAILID'));
      const email = found.get(id) ?? { boxes: new Set(), sets: [] };
      found.set(id, email);
      email.boxes.add(boxId);
      const kept = flags.filter((flag) => flag !== '\\recent');
      email.sets.push(new Set(kept.map((flag) => KEYWORDS[flag] ?? flag)));
      ids.add(id);
    }
  }
  connection.hangUp();
  const emails = new Map<string, string>();
  const unread = new Set<string>();
  for (const [id, email] of found) {
    const keywords = keywordsOf(email);
    emails.set(id, `${[...email.boxes].toSorted().join()} ${[...keywords].toSorted().join()}`);
    // RFC 8621 section 2: drafts are not unread.
    if (!keywords.has('$seen') && !keywords.has('$draft')) unread.add(id);
  }
  const counts = [...inBox].map(([boxId, ids]) => {
    return [boxId, { total: ids.size, unread: ids.intersection(unread).size }] as const;
  });
  return { emails, counts: new Map(counts) };
}

function only(value: unknown): string {
  const [id] = Array.isArray(value) ? (value as unknown[]) : [];
  must(typeof id === 'string', () => `no id but ${JSON.stringify(value)}`);
  return id;
}

/** Names as they are sent, of the mailboxes that belong to the account itself. */
async function ownNames(connection: Connection): Promise<string[]> {
  const from = connection.log.length;
  const { status } = await connection.selectedOnly('LIST "" *');
  must(status === 'OK', () => `LIST: ${status}`);
  const lines = connection.log.slice(from);
  return lines.flatMap((line) => {
    const [, flags = '', name = ''] =
      /\* LIST \(([^)]*)\) "?.*?"? ((?:"(?:[^"\\]|\\.)*")|[^"\s]+)$/.exec(line) ?? [];
    return name === '' || /\\(?:noselect|nonexistent)/i.test(flags) || /^"?Other Users/.test(name)
      ? []
      : [name];
  });
}
