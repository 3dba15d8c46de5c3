import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../bench/support/processes.ts';
import { type ImapValue, readImapValue } from './imap-list.ts';

/** What Dovecot makes of a message. */
export interface Parsed {
  readonly envelope: ImapValue;
  readonly bodystructure: ImapValue;
}

/** Who reads the Maildir; no such user need exist. */
const UID = 5000;

/** ENVELOPE and BODYSTRUCTURE of messages by Dovecot, in their order. Needs root and a directory that others can read. */
export async function parseWithDovecot(directory: string, messages: readonly Buffer[]): Promise<Parsed[]> {
  const cur = join(directory, 'home/Maildir/cur');
  mkdirSync(cur, { recursive: true });
  chmodSync(directory, 0o755);
  for (const path of ['home', 'home/Maildir', 'home/Maildir/cur']) chownSync(join(directory, path), UID, UID);
  const digits = String(messages.length).length;
  messages.forEach((octets, i) =>
    writeFileSync(join(cur, `${String(i).padStart(digits, '0')}.x`), octets, { mode: 0o644 }),
  );
  const config = join(directory, 'dovecot.conf');
  writeFileSync(config, configuration(directory));
  const items = 'guid imap.envelope imap.bodystructure';
  const user = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups'];
  const home = ['env', 'USER=mail', `HOME=${directory}/home`];
  const output = join(directory, 'parsed');
  await run('sh', [
    '-c',
    `setpriv ${[...user, ...home].join(' ')} doveadm -c ${config} fetch "${items}" all > ${output}`,
  ]);
  return parseOutput(readFileSync(output, 'latin1'), messages.length);
}

/** Records end in a form feed; the values stand without their outer parentheses. */
function parseOutput(text: string, count: number): Parsed[] {
  const parsed: Parsed[] = [];
  for (const record of text.split('\f\n')) {
    const match = /^guid: (\d+)\S*\nimap\.envelope: ([\s\S]*)\nimap\.bodystructure: ([\s\S]*?)\n?$/.exec(
      record,
    );
    if (match === null) continue;
    const [, name = '', envelope = '', bodystructure = ''] = match;
    parsed[Number(name)] = {
      envelope: readImapValue(`(${envelope})`, 0).value,
      bodystructure: readImapValue(`(${bodystructure})`, 0).value,
    };
  }
  if (Object.keys(parsed).length !== count)
    throw new Error(`Dovecot has read ${Object.keys(parsed).length} of ${count}`);
  return parsed;
}

function configuration(directory: string): string {
  return `base_dir = ${directory}/run
mail_location = maildir:${directory}/home/Maildir
log_path = /dev/stderr
ssl = no
mail_uid = ${UID}
mail_gid = ${UID}
first_valid_uid = 0
first_valid_gid = 0
`;
}
