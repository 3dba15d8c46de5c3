/** The extensions of the language, as `require` and ManageSieve's SIEVE capability name them. */
export const SIEVE_EXTENSIONS: readonly string[] = [
  'body', // RFC 5173
  'comparator-i;ascii-casemap', // RFC 5228 2.7.3
  'comparator-i;ascii-numeric', // RFC 4790
  'comparator-i;octet',
  'comparator-i;unicode-casemap', // RFC 5051
  'copy', // RFC 3894
  'date', // RFC 5260
  'duplicate', // RFC 7352
  'editheader', // RFC 5293
  'enclose', // RFC 5703
  'encoded-character', // RFC 5228
  'enotify', // RFC 5435
  'envelope', // RFC 5228
  'envelope-deliverby', // RFC 6009
  'envelope-dsn', // RFC 6009
  'environment', // RFC 5183
  'ereject', // RFC 5429
  'extlists', // RFC 6134
  'extracttext', // RFC 5703
  'fcc', // RFC 8580
  'fileinto', // RFC 5228
  'foreverypart', // RFC 5703
  'ihave', // RFC 5463
  'imap4flags', // RFC 5232
  'include', // RFC 6609
  'index', // RFC 5260
  'mailbox', // RFC 5490
  'mailboxid', // RFC 9042
  'mboxmetadata', // RFC 5490
  'mime', // RFC 5703
  'redirect-dsn', // RFC 6009
  'regex', // draft-ietf-sieve-regex
  'reject', // RFC 5429
  'relational', // RFC 5231
  'replace', // RFC 5703
  'servermetadata', // RFC 5490
  'spamtest', // RFC 5235
  'spamtestplus', // RFC 5235
  'special-use', // RFC 8579
  'subaddress', // RFC 5233
  'vacation', // RFC 5230
  'vacation-seconds', // RFC 6131
  'variables', // RFC 5229
  'virustest', // RFC 5235
];

/** Extensions that bring another with them. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  'vacation-seconds': ['vacation'], // RFC 6131 2
  spamtestplus: ['spamtest'], // RFC 5235 2.3
  // Base comparators need no require (RFC 5228 2.7.3).
};

/** What a script that requires `names` may use. */
export function withImplied(names: Iterable<string>): Set<string> {
  const all = new Set<string>();
  for (const name of names) {
    all.add(name);
    for (const more of IMPLIED[name] ?? []) all.add(more);
  }
  return all;
}
