import type { FolderReport } from '../../flow/import/importer.ts';
import { type FolderParity, isSame } from '../../flow/import/parity.ts';
import type { PassedFolder } from '../../flow/import/types.ts';
import type { ScriptReport } from './import-scripts.ts';
import { plain, table } from './plain-text.ts';
import { sizeText } from './quantities.ts';

export interface AccountReport {
  readonly account: string;
  readonly source: string;
  readonly folders: readonly FolderReport[];
  /** Folders there that were left out, other than by --only and --except. */
  readonly passed: readonly PassedFolder[];
  /** Undefined when it was not asked for. */
  readonly parity: readonly FolderParity[] | undefined;
  /** Sieve scripts that lay beside the mail. */
  readonly scripts?: readonly ScriptReport[] | undefined;
  /** Why nothing came of this account. */
  readonly problem?: string | undefined;
  /** There is no mail where it was looked for: this was looked for. Of many accounts some may have none. */
  readonly nothing?: string | undefined;
}

export interface MailReport {
  readonly dryRun: boolean;
  readonly accounts: readonly AccountReport[];
}

/** Nothing failed, what was compared is the same, and there was mail of somebody. */
export function isClean({ accounts }: MailReport): boolean {
  if (accounts.length > 0 && accounts.every(({ nothing }) => nothing !== undefined)) return false;
  return accounts.every(
    ({ folders, passed, parity, scripts = [], problem }) =>
      problem === undefined &&
      folders.every(({ failed }) => failed === 0) &&
      passed.every(({ missed }) => !missed) &&
      scripts.every(({ state }) => state !== 'refused') &&
      (parity?.every(isSame) ?? true),
  );
}

export function mailReportText(report: MailReport, width: number): string {
  const text = report.accounts.map((account) => accountText(account, report.dryRun, width)).join('\n');
  return report.dryRun ? `${text}\nNothing was changed.\n` : text;
}

const number = (title: string): { title: string; right: true } => ({ title, right: true });

function accountText(
  { account, source, folders, passed, parity, scripts = [], problem, nothing }: AccountReport,
  dryRun: boolean,
  width: number,
): string {
  const head = `${plain(account)} from ${plain(source)}\n`;
  if (problem !== undefined) return `${head}  FAILED: ${plain(problem)}\n`;
  if (nothing !== undefined) return `${head}  No mail is there: ${plain(nothing)}\n`;
  const columns = [
    { title: 'FOLDER' },
    { title: 'MAILBOX' },
    number('MESSAGES'),
    number(dryRun ? 'WOULD ADD' : 'ADDED'),
    number('KNOWN'),
    number('CHANGED'),
    number('FAILED'),
  ];
  const rows = folders.map((each) => [
    each.folder,
    each.mailbox,
    String(each.messages),
    String(each.added),
    String(each.known + each.linked),
    String(each.changed + each.removed),
    String(each.failed),
  ]);
  const sum = (of: (each: FolderReport) => number): number =>
    folders.reduce((total, each) => total + of(each), 0);
  const [added, bytes] = [sum((each) => each.added), sum((each) => each.bytes)];
  // What some sources hold is only known once it is read.
  const size = bytes === 0 && added > 0 ? '' : `, ${sizeText(bytes)}`;
  const total = `${dryRun ? 'Would add' : 'Added'} ${added} message(s)${size}.\n`;
  const failures = folders.flatMap(({ folder, failures: some }) =>
    some.map(({ key, why }) => `  FAILED: ${plain(folder)}, message ${plain(key)}: ${plain(why)}\n`),
  );
  const left = passed.map(
    ({ folder, why, missed }) => `  ${missed ? 'FAILED' : 'Left'}: ${plain(folder)}: ${plain(why)}\n`,
  );
  return `${head}${table(columns, rows, width)}${total}${failures.join('')}${left.join('')}${scripts.map(scriptText).join('')}${parity === undefined ? '' : parityText(parity, width)}`;
}

function scriptText({ name, state, active, why }: ScriptReport): string {
  const told = why === undefined ? '' : `: ${plain(why)}`;
  return `Sieve script ${plain(name)}: ${state}${active ? ', runs' : ''}${told}\n`;
}

function parityText(parity: readonly FolderParity[], width: number): string {
  const octets = parity.some(({ sameOctets }) => sameOctets !== undefined);
  const columns = [
    { title: 'FOLDER' },
    number('THERE'),
    number('HERE'),
    number('FLAGS'),
    ...(octets ? [number('OCTETS')] : []),
    number('MISSING'),
    number('MOVED'),
    number('EXTRA'),
    { title: 'PARITY' },
  ];
  const rows = parity.map((each) => [
    each.folder,
    String(each.there),
    String(each.here),
    String(each.sameFlags),
    ...(octets ? [String(each.sameOctets ?? 0)] : []),
    String(each.missing),
    String(each.moved),
    String(each.extra),
    isSame(each) ? 'the same' : 'DIFFERS',
  ]);
  const differing = parity.flatMap(({ folder, differing: some }) =>
    some.map((what) => `  ${plain(folder)}: message ${plain(what)}\n`),
  );
  return `\n${table(columns, rows, width)}${differing.join('')}`;
}
