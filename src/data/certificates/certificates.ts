import { point, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import { saveSetting } from '../directory/site-settings.ts';
import type { Actor } from '../directory/types.ts';
import { record } from '../journal/record.ts';
import type { JournalEvent } from '../journal/types.ts';
import {
  accountOf,
  type AccountRow,
  addAccount,
  allCertificates,
  type CertificateRow,
  dropCertificate,
  forgetFailures,
  keepFailure,
  keepIssued,
  keepWish,
  setAccount,
} from './certificates.sql.ts';
import type { AcmeAccount, AcmeCertificate, IssuedCertificate, RenewalWish } from './types.ts';

/** What is kept of certificates that authorities issue by ACME: accounts, certificates, the settings. */

const SETTING = 'acme';
/** Certificates that are kept at most. */
const CERTIFICATES_MAX = 10_000;
/** UTF-16 units of a reason that are kept. */
const REASON_LENGTH = 1000;

function toAccount(row: AccountRow): AcmeAccount {
  const { directory, private_key: privateKey, url } = row;
  return { directory, privateKey, url: url ?? undefined, contact: list(row.contact) };
}

function list(json: string): readonly string[] {
  return JSON.parse(json) as string[];
}

function toCertificate(row: CertificateRow): AcmeCertificate {
  const { name, directory, failures } = row;
  return {
    name,
    directory,
    issued: issuedOf(row),
    wish: wishOf(row),
    askAt: row.ask_at ?? undefined,
    failures,
    failedAt: row.failed_at ?? undefined,
    failure: row.failure ?? undefined,
    retryAt: row.retry_at ?? undefined,
  };
}

function issuedOf(row: CertificateRow): IssuedCertificate | undefined {
  const { chain, private_key: privateKey, not_before: notBefore, not_after: notAfter } = row;
  if (chain === null || privateKey === null || notBefore === null || notAfter === null) return undefined;
  const [issuedAt, renewAt] = [row.issued_at ?? notBefore, row.renew_at ?? notAfter];
  return { names: list(row.names), chain, privateKey, notBefore, notAfter, issuedAt, renewAt };
}

function wishOf({
  window_start: start,
  window_end: end,
  explanation,
}: CertificateRow): RenewalWish | undefined {
  if (start === null || end === null) return undefined;
  return { start, end, explanation: explanation ?? undefined };
}

/** The settings as they were given, JSON; undefined: none were. */
async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, SETTING))?.value;
}

async function saveSettings(
  tx: WriteTx,
  { actor, json, what }: { actor: Actor; json: string; what: string },
): Promise<null> {
  await saveSetting(tx, { actor, name: SETTING, json, action: 'certificate.settings', subject: what });
  // Whatever kept certificates from coming may be mended now.
  await tx.run(forgetFailures);
  return null;
}

/** The account at an authority, made with this key when there was none. */
async function ensureAccount(
  tx: WriteTx,
  args: { directory: string; privateKey: string },
): Promise<AcmeAccount> {
  await tx.run(addAccount, args.directory, args.privateKey, '[]', tx.now);
  const row = await tx.get(accountOf, args.directory);
  if (row === undefined) throw new Error('the account was not kept');
  return toAccount(row);
}

export interface KeepIssued extends Omit<IssuedCertificate, 'issuedAt'> {
  readonly name: string;
  readonly directory: string;
  readonly askAt: number;
  readonly events: readonly JournalEvent[];
}

async function issued(tx: WriteTx, args: KeepIssued): Promise<null> {
  const { name, directory, names, chain, privateKey, notBefore, notAfter, renewAt, askAt } = args;
  const life = [notBefore, notAfter, tx.now, renewAt, askAt] as const;
  await tx.run(keepIssued, name, directory, JSON.stringify(names), chain, privateKey, ...life, tx.now);
  await record(tx, args.events);
  return null;
}

export interface KeepFailure {
  readonly name: string;
  readonly directory: string;
  readonly reason: string;
  readonly retryAt: number;
  readonly events: readonly JournalEvent[];
}

async function failed(tx: WriteTx, args: KeepFailure): Promise<null> {
  const reason = args.reason.slice(0, REASON_LENGTH).replaceAll('\0', '\ufffd').toWellFormed();
  await tx.run(keepFailure, args.name, args.directory, '[]', tx.now, reason, args.retryAt, tx.now);
  await record(tx, args.events);
  return null;
}

export interface KeepWish {
  readonly name: string;
  /** Undefined: the authority has none. */
  readonly wish: RenewalWish | undefined;
  readonly renewAt: number;
  readonly askAt: number;
}

async function wished(tx: WriteTx, { name, wish, renewAt, askAt }: KeepWish): Promise<null> {
  await tx.run(
    keepWish,
    wish?.start ?? null,
    wish?.end ?? null,
    wish?.explanation ?? null,
    renewAt,
    askAt,
    name,
  );
  return null;
}

export const writes = {
  'certificates.saveSettings': saveSettings as WriteFunction<
    { actor: Actor; json: string; what: string },
    null
  >,
  'certificates.ensureAccount': ensureAccount as WriteFunction<
    { directory: string; privateKey: string },
    AcmeAccount
  >,
  /** The account was made, or told other addresses. */
  'certificates.setAccount': (async (tx, { directory, url, contact }) => {
    await tx.run(setAccount, url ?? null, JSON.stringify(contact), directory);
    return null;
  }) as WriteFunction<{ directory: string; url: string | undefined; contact: readonly string[] }, null>,
  'certificates.issued': issued as WriteFunction<KeepIssued, null>,
  /** No certificate was got; one that is there stays. */
  'certificates.failed': failed as WriteFunction<KeepFailure, null>,
  'certificates.wished': wished as WriteFunction<KeepWish, null>,
  'certificates.drop': ((tx, { name }) => tx.run(dropCertificate, name)) as WriteFunction<
    { name: string },
    number
  >,
  /** Events that come with nothing else. */
  'certificates.events': (async (tx, { events }) => {
    await record(tx, events);
    return null;
  }) as WriteFunction<{ events: readonly JournalEvent[] }, null>,
} as const;

export const reads = {
  'certificates.settings': point((tx: ReadTx, _args: null) => settings(tx)),
  'certificates.all': point(
    async (tx: ReadTx, _args: null): Promise<readonly AcmeCertificate[]> =>
      (await tx.all(allCertificates, CERTIFICATES_MAX)).map(toCertificate),
  ),
} as const;
