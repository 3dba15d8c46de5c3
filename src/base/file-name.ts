/** UTF-16 units of a name; with an ending and in UTF-8 file systems take it. */
const LENGTH = 200;
/** Units that an ending has at most. */
const ENDING = 16;

/**
 * The name under which a browser is told to save what a stranger has named: no way to another folder, nothing hidden, no
 * character that breaks a line or turns the direction of reading ("photo[RLO]gpj.exe"). Too long a name keeps its ending.
 */
export function savedName(text: string): string {
  const safe = text
    .slice(0, 4 * LENGTH)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}/\\:*?"<>|\ufffd]+/gu, '_')
    .trim()
    .replace(/^[.~]+/, '_');
  if (safe === '') return 'file';
  if (safe.length <= LENGTH) return safe;
  const dot = safe.lastIndexOf('.');
  const ending = dot > 0 && safe.length - dot <= ENDING ? safe.slice(dot) : '';
  return `${safe.slice(0, LENGTH - ending.length)}${ending}`.toWellFormed().replaceAll('\ufffd', '_');
}
