import { globSync, readFileSync } from 'node:fs';

/** A command line of a page: the words after "postern". */
export interface GuideCommand {
  /** "docs/guides/ses-out-only.md:81" */
  readonly place: string;
  readonly words: readonly string[];
  /** Of a block that can be typed as it stands, not of the running text. */
  readonly typed: boolean;
}

const ROOT = new URL('../../', import.meta.url);
/** What may stand before "postern" where it runs: a prompt, npm, a container. */
const TYPED =
  /^(?:[$#] )?(?:sudo )?(?:npm exec -- |docker compose (?:exec|run --rm) postern |kubectl .* -- )?postern +([a-z].*)$/;

/** The pages that people wrote: README.md, docs/install.md, the guides. What is made from the table of commands is left out. */
export function pageNames(): string[] {
  const cwd = ROOT.pathname;
  return globSync(['*.md', 'docs/*.md', 'docs/{guides,adr}/*.md'], { cwd }).toSorted();
}

/** All commands of a page, in order. */
export function guideCommands(name: string): GuideCommand[] {
  const lines = readFileSync(new URL(name, ROOT), 'utf8').split('\n');
  const found: GuideCommand[] = [];
  let fenced = false;
  for (let i = 0; i < lines.length; i++) {
    let line = lines[i] ?? '';
    const place = `${name}:${i + 1}`;
    if (line.startsWith('```')) fenced = !fenced;
    else if (fenced) {
      while (line.endsWith('\\')) line = line.slice(0, -1) + (lines[++i] ?? '').trim();
      // Without a prompt, what is behind two spaces says what the command does.
      const command = TYPED.exec(line)?.[1]?.replace(/ {2,}.*$/, '');
      if (command !== undefined) found.push({ place, words: shellWords(command), typed: true });
    } else {
      // Text in backticks may go on in the next line.
      const text = line.split('`').length % 2 === 0 ? `${line} ${lines[i + 1] ?? ''}` : line;
      for (const [, command = ''] of text.matchAll(/`postern ([^`]*)`/g))
        found.push({ place, words: shellWords(command), typed: false });
    }
  }
  return found;
}

/** As a shell would split it: quotes, a comment, a redirection. */
function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [whole, single, double] of line.matchAll(/'([^']*)'|"([^"]*)"|[^\s'"]+(?:'[^']*'|"[^"]*")?/g)) {
    if (/^[#>|]/.test(whole)) break;
    words.push(single ?? double ?? whole.replaceAll(/['"]/g, ''));
  }
  return words;
}
