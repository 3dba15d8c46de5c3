/** A case number as it is written everywhere: two halves of five characters of base/ids.ts, in capitals. */
const CASE = /^[0-9A-HJKMNP-TV-Z]{10}$/;

/**
 * The case number that a person means: told over the telephone, typed in any case, with or without its hyphen or with
 * spaces, and with the letters that are none of its alphabet for the digits they look like. Undefined for anything else.
 */
export function caseNumberOf(text: string): string | undefined {
  if (text.length > 40) return undefined;
  const bare = text.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return CASE.test(bare) ? `${bare.slice(0, 5)}-${bare.slice(5)}` : undefined;
}
