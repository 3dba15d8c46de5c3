import { statement } from '../db/sql.ts';

export interface AccountRow {
  readonly directory: string;
  readonly private_key: string;
  readonly url: string | null;
  readonly contact: string;
}

export interface CertificateRow {
  readonly name: string;
  readonly directory: string;
  readonly names: string;
  readonly chain: string | null;
  readonly private_key: string | null;
  readonly not_before: number | null;
  readonly not_after: number | null;
  readonly issued_at: number | null;
  readonly renew_at: number | null;
  readonly window_start: number | null;
  readonly window_end: number | null;
  readonly explanation: string | null;
  readonly ask_at: number | null;
  readonly failures: number;
  readonly failed_at: number | null;
  readonly failure: string | null;
  readonly retry_at: number | null;
}

const CERTIFICATE = `name, directory, names, chain, private_key, not_before, not_after, issued_at, renew_at, window_start,
  window_end, explanation, ask_at, failures, failed_at, failure, retry_at`;

export const accountOf = statement<[directory: string], AccountRow>(
  'SELECT directory, private_key, url, contact FROM acme_accounts WHERE directory = ?',
);

/** One that is there stays: its key is what the authority knows us by. */
export const addAccount = statement<[directory: string, privateKey: string, contact: string, at: number]>(
  `INSERT INTO acme_accounts (directory, private_key, url, contact, created_at) VALUES (?, ?, NULL, ?, ?)
   ON CONFLICT (directory) DO NOTHING`,
);

export const setAccount = statement<[url: string | null, contact: string, directory: string]>(
  'UPDATE acme_accounts SET url = ?, contact = ? WHERE directory = ?',
);

export const allCertificates = statement<[limit: number], CertificateRow>(
  `SELECT ${CERTIFICATE} FROM acme_certificates ORDER BY created_at, name LIMIT ?`,
);

export const keepIssued = statement<
  [
    name: string,
    directory: string,
    names: string,
    chain: string,
    privateKey: string,
    notBefore: number,
    notAfter: number,
    issuedAt: number,
    renewAt: number,
    askAt: number,
    createdAt: number,
  ]
>(
  `INSERT INTO acme_certificates (name, directory, names, chain, private_key, not_before, not_after, issued_at, renew_at,
     ask_at, failures, created_at)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
   ON CONFLICT (name) DO UPDATE SET directory = excluded.directory, names = excluded.names, chain = excluded.chain,
     private_key = excluded.private_key, not_before = excluded.not_before, not_after = excluded.not_after,
     issued_at = excluded.issued_at, renew_at = excluded.renew_at, ask_at = excluded.ask_at, window_start = NULL,
     window_end = NULL, explanation = NULL, failures = 0, failed_at = NULL, failure = NULL, retry_at = NULL`,
);

export const keepFailure = statement<
  [
    name: string,
    directory: string,
    names: string,
    failedAt: number,
    failure: string,
    retryAt: number,
    createdAt: number,
  ]
>(
  `INSERT INTO acme_certificates (name, directory, names, failures, failed_at, failure, retry_at, created_at)
   VALUES (?, ?, ?, 1, ?, ?, ?, ?)
   ON CONFLICT (name) DO UPDATE SET failures = acme_certificates.failures + 1, failed_at = excluded.failed_at,
     failure = excluded.failure, retry_at = excluded.retry_at`,
);

export const keepWish = statement<
  [
    windowStart: number | null,
    windowEnd: number | null,
    explanation: string | null,
    renewAt: number,
    askAt: number,
    name: string,
  ]
>(
  `UPDATE acme_certificates SET window_start = ?, window_end = ?, explanation = ?, renew_at = ?, ask_at = ?
   WHERE name = ?`,
);

export const dropCertificate = statement<[name: string]>('DELETE FROM acme_certificates WHERE name = ?');

/** What kept it from being tried again. */
export const forgetFailures = statement<[]>(
  'UPDATE acme_certificates SET failures = 0, failed_at = NULL, failure = NULL, retry_at = NULL',
);
