/** SPF records of others are never changed: merging two policies is for a person. What they would write is told. */

/** Whether a TXT value is an SPF record (RFC 7208 section 4.5). */
export function isSpf(value: string): boolean {
  return /^v=spf1( |$)/i.test(value);
}

function termsOf(text: string): string[] {
  return text.trim().split(/ +/).slice(1);
}

/** What stands at the end: "all" or a redirect. */
function isEnd(term: string): boolean {
  return /^[-~?+]?all$/i.test(term) || /^redirect=/i.test(term);
}

/** "+mx" is "mx" (RFC 7208 section 4.6.2). */
function plainTerm(term: string): string {
  return term.toLowerCase().replace(/^\+/, '');
}

/** Terms of ours that another SPF record lacks, and what it would be with them in front of its "all" or redirect. */
export function spfAdvice(
  theirs: string,
  ours: string,
): { readonly missing: readonly string[]; readonly merged: string } {
  const given = termsOf(theirs);
  const had = new Set(given.map(plainTerm));
  const missing = termsOf(ours).filter((term) => !isEnd(term) && !had.has(plainTerm(term)));
  const end = given.findIndex(isEnd);
  const at = end === -1 ? given.length : end;
  const merged = ['v=spf1', ...given.slice(0, at), ...missing, ...given.slice(at)].join(' ');
  return { missing, merged };
}
