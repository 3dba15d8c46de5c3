/** Whether a text speaks of an attachment: people forget them. Words of the languages the app has, whatever the app's is. */

const WORDS: readonly RegExp[] = [
  /\battach(?:ed|ment|ments|ing)\b|\benclosed\b|\bsee (?:the )?(?:file|pdf)\b/i,
  /\banhang\b|\banh[äa]nge\b|\banbei\b|\bangeh[äa]ngt\b|\bbeigef[üu]gt\b|\bim attachment\b|\bbeilage\b/i,
  /\bci-joint(?:e|s|es)?\b|\ben pi[èe]ces? jointes?\b|\bpi[èe]ces? jointes?\b|\ben annexe\b/i,
  /\badjunt(?:o|a|os|as|é|amos)\b|\barchivo anexo\b|\banexo\b/i,
  /附件|附上|随信附/,
];
/** Characters of the text that are looked at. */
const MOST = 20_000;

/** `text`: what the person wrote, with quoted lines ("> ") which are left out. */
export function mentionsAttachment(subject: string, text: string): boolean {
  const own = text
    .slice(0, MOST)
    .split('\n')
    .filter((line) => !line.startsWith('>'))
    .join('\n')
    .normalize('NFC');
  return WORDS.some((words) => words.test(`${subject}\n${own}`));
}
