import { textOf } from '../base/i18n.ts';
import type { Problem } from '../base/http.ts';
import { loadSentences, spoken } from './said.ts';

/** What a refusal says, in the language of the moment. */
export async function problemWords({ kind, message, code = '', args }: Problem): Promise<string> {
  await loadSentences('problems');
  const { text, lang } = spoken({ code, text: message, ...(args !== undefined && { args }) });
  if (lang === undefined) return text;
  const about = textOf('problems', kindKey(kind));
  return about === undefined ? message : `${about} (${message})`;
}

/** "not-permitted" -> "kindNotPermitted". */
function kindKey(kind: string): string {
  return `kind${kind.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;
}
