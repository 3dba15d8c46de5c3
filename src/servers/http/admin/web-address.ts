import type { ServerFacts } from '../facts.ts';

/** Where people reach the pages of this server, without a slash at the end. */
export function webAddress(facts: Pick<ServerFacts, 'hostname' | 'mode' | 'listeners'>): string {
  const all = facts.listeners();
  const plain = all.find(({ name }) => name === 'http');
  if (facts.mode === 'try' && plain !== undefined) return `http://127.0.0.1:${plain.port}`;
  const port = all.find(({ name }) => name === 'https')?.port ?? 443;
  return `https://${facts.hostname}${port === 443 ? '' : `:${port}`}`;
}
