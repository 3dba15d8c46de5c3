/** Every relative link in a Markdown page leads to a file, and its #anchor to a heading there. Part of `npm run check`. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Headings of a page as the anchors that GitHub gives them. Code blocks are left out. */
function anchors(page: string): Set<string> {
  const found = new Set<string>();
  for (const line of prose(page)) {
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const plain = heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = plain.replaceAll(' ', '-');
    let name = anchor;
    for (let again = 1; found.has(name); again++) name = `${anchor}-${again}`;
    found.add(name);
  }
  return found;
}

/** Lines outside of fenced code. */
function prose(page: string): string[] {
  let fenced = false;
  return page.split('\n').filter((line) => {
    if (!line.startsWith('```')) return !fenced;
    fenced = !fenced;
    return false;
  });
}

/** What is wrong with the link `target` on the page `path`; undefined when it leads somewhere. */
function problemOf(path: string, page: string, target: string): string | undefined {
  if (/^(?:[a-z]+:|\/\/)/i.test(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? path : join(dirname(path), decodeURI(file));
  if (!existsSync(to)) return 'leads to no file';
  if (relative(root, to).startsWith('..')) return 'leads out of the project';
  if (anchor === undefined || !to.endsWith('.md')) return undefined;
  const there = to === path ? page : readFileSync(to, 'utf8');
  return anchors(there).has(anchor) ? undefined : 'has no such heading';
}

/** One line for each broken link of the project's pages: "docs/install.md: guides/x.md leads to no file". */
export function brokenLinks(): string[] {
  const problems: string[] = [];
  const skip = new Set(['node_modules', 'dist', '.git', '.postern']);
  const pages = globSync('**/*.md', { cwd: root, exclude: (name) => skip.has(name) });
  for (const name of pages.toSorted()) {
    const path = join(root, name);
    const page = readFileSync(path, 'utf8');
    for (const line of prose(page)) {
      const text = line.replaceAll(/`[^`]*`/g, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^()\s]+)\)/g)) {
        const problem = problemOf(path, page, target);
        if (problem !== undefined) problems.push(`${name}: the link ${target} ${problem}`);
      }
    }
  }
  return problems;
}

if (import.meta.main) {
  const problems = brokenLinks();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('docs: all links lead somewhere');
}
