import { Refusal } from '../../base/errors.ts';
import { scriptsBeside } from '../../flow/import/sieve-files.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import type { AdminClient } from './client.ts';

/** What became of one Sieve script that was found. */
export interface ScriptReport {
  readonly name: string;
  readonly state: 'added' | 'there' | 'would be added' | 'refused';
  readonly active: boolean;
  readonly why?: string;
}

/** Bring the Sieve scripts beside a Maildir over; one of the same name here is left alone. */
export async function importScripts(
  admin: AdminClient,
  account: string,
  maildir: string,
  dryRun: boolean,
): Promise<ScriptReport[]> {
  const found = await scriptsBeside(maildir);
  if (found.length === 0) return [];
  const { scripts } = await admin.call(operations.sieve.list, { account });
  const names = new Set(scripts.map(({ name }) => name));
  const runs = scripts.some(({ active }) => active);
  const reports: ScriptReport[] = [];
  for (const { name, text, active } of found) {
    const activate = active && !runs;
    if (names.has(name)) reports.push({ name, state: 'there', active: false });
    else if (dryRun) reports.push({ name, state: 'would be added', active: activate });
    else reports.push(await put(admin, account, { name, text, activate }));
  }
  return reports;
}

async function put(
  admin: AdminClient,
  account: string,
  script: { readonly name: string; readonly text: string; readonly activate: boolean },
): Promise<ScriptReport> {
  const { name, activate } = script;
  try {
    await admin.call(operations.sieve.put, { account, ...script });
    return { name, state: 'added', active: activate };
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === 'unavailable') throw error;
    return { name, state: 'refused', active: false, why: error.message.replaceAll('\n', ' ') };
  }
}
