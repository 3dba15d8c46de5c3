import { existsSync, readFileSync } from 'node:fs';

/** docs/hardening.md names tests that prove things: each of them must be there under that name. */

const PAGE = 'docs/hardening.md';

/** What the page names and nobody can find. A proof is `path/of.test.ts` followed by its title in quotes ("…" stands for anything). */
export function missingProofs(): string[] {
  const problems: string[] = [];
  const files = new Map<string, string>();
  let proofs = 0;
  readFileSync(PAGE, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const where = `${PAGE}:${index + 1}`;
      let file: string | undefined;
      for (const [, path, title = ''] of line.matchAll(/`([\w./-]+\.test\.ts)`|"([^"]+)"/g)) {
        if (path !== undefined) {
          file = path;
          if (!files.has(path)) files.set(path, existsSync(path) ? readFileSync(path, 'utf8') : '');
          if (files.get(path) === '') problems.push(`${where}: there is no ${path}`);
          continue;
        }
        if (file === undefined) continue;
        proofs++;
        const text = files.get(file) ?? '';
        if (text !== '' && !title.split('…').every((piece) => text.includes(piece)))
          problems.push(`${where}: ${file} has no test "${title}"`);
      }
      if (
        line.startsWith('| ') &&
        !/^\| (?:Danger|---)/.test(line) &&
        file === undefined &&
        !line.includes('Not covered')
      )
        problems.push(`${where}: neither a test nor "Not covered" and why`);
    });
  if (proofs === 0) problems.push(`${PAGE}: names no tests`);
  return problems;
}
