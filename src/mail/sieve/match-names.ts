/** Comparators that need a require of their own (RFC 5228 2.7.3). */
export const COMPARATOR_EXTENSIONS: Readonly<Record<string, string>> = {
  'i;ascii-numeric': 'comparator-i;ascii-numeric',
  'i;unicode-casemap': 'comparator-i;unicode-casemap',
};
