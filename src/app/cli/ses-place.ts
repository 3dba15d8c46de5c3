import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { isHostName, normalizeDomain } from '../../mail/address/domain.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import { type Call, UsageError } from './command.ts';
import { plain } from './plain-text.ts';

/** Octets of a file with domains: ten thousand of them, as long as they get. */
const FILE_BYTES = 4 * 1024 * 1024;

/** The form of a region; whether there is such a one only Amazon knows. */
export function checkedRegion(text: string): string {
  if (!/^[a-z]{2}(?:-[a-z]{1,20}){1,3}-\d{1,2}$/.test(text))
    throw new UsageError(`--region takes a region such as eu-west-1, not "${plain(text)}"`);
  return text;
}

/**
 * The domains a command is about, in order and each once: of --domain and --domains-file, else of the running server.
 * @throws UsageError for what is no domain, Refusal when none is named and no server answers
 */
export async function domainsFor(call: Call): Promise<string[]> {
  const named = await namedDomains(call);
  if (named.length > 0) return named;
  const found = await call.admin.call(operations.domains.list, {}).catch((error: unknown) => {
    if (error instanceof Refusal)
      throw new Refusal(error.kind, `${error.message}\nOr name the domains: --domain example.org`);
    throw error;
  });
  if (found.domains.length === 0)
    throw new Refusal('bad-input', 'The server has no domain yet: name one with --domain example.org');
  return found.domains.map(({ name }) => name);
}

/** Those of the command line; none: empty. */
export async function namedDomains(call: Call): Promise<string[]> {
  const file = call.text('domains-file');
  const texts = [
    ...call.texts('domain'),
    ...(file === undefined ? [] : await readLines(resolve(call.io.cwd, file))),
  ];
  return [...new Set(texts.map(domainOf))];
}

function domainOf(text: string): string {
  const domain = normalizeDomain(text.trim().replace(/\.$/, ''));
  if (domain === undefined || !isHostName(domain))
    throw new UsageError(`"${plain(text)}" is no domain such as example.org`);
  return domain;
}

async function readLines(path: string): Promise<string[]> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > FILE_BYTES) throw new Refusal('too-large', `${path} has more than ${FILE_BYTES} octets`);
    const lines = (await file.readFile('utf8')).split('\n').map((line) => line.replace(/#.*$/, '').trim());
    return lines.filter((line) => line !== '');
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const why = errnoCode(error) === 'ENOENT' ? 'there is no such file' : errorText(error);
    throw new Refusal('bad-input', `cannot read ${path}: ${why}`);
  }
}
