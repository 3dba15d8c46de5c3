/** SPF records of others are never changed: merging two policies is for a person. What they would write is told. */

/** Whether a TXT value is an SPF record (RFC 7208 section 4.5). */
export function isSpf(value: string): boolean {
  return /^v=spf1( |$)/i.test(value);
}

/** Terms of ours that another SPF record lacks, and what it would be with them in front of its "all" or redirect. */
export function spfAdvice(theirs: string, ours: string): { readonly missing: readonly string[]; readonly merged: string } {
  const terms = (text: string): string[] => text.trim().split(/ +/).slice(1);
  const isEnd = (term: string): boolean => /^[-~?+]?all$/i.test(term) || /^redirect=/i.test(term);
  const plainTerm = (term: string): string => term.toLowerCase().replace(/^\+/, '');
  const had = new Set(terms(theirs).map(plainTerm));
  const missing = terms(ours).filter((term) => !isEnd(term) && !had.has(plainTerm(term)));
  const given = terms(theirs);
  const end = given.findIndex(isEnd);
  const at = end === -1 ? given.length : end;
  const merged = ['v=spf1', ...given.slice(0, at), ...missing, ...given.slice(at)].join(' ');
  return { missing, merged };
}
