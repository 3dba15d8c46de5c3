import type { FlowDeps } from './deps.ts';
import type { NoticeRecipient } from './notice-mail.ts';

/** The administrators, or whoever reads postmaster@ of the domain where there is none. */
export async function responsible(deps: FlowDeps, domain: string): Promise<NoticeRecipient[]> {
  const { read } = deps.store;
  const accounts = await read.run('directory.accounts', {});
  const found = accounts.filter(({ role, status }) => role === 'admin' && status === 'active');
  if (found.length > 0) return found.map(({ id, address }) => ({ accountId: id, address }));
  const resolved = await read.run('directory.resolve', {
    localPart: 'postmaster',
    domain,
    delimiter: deps.settings.delimiter,
    size: 0,
  });
  if (resolved.status !== 'ok') return [];
  return resolved.targets.flatMap((target) => (target.kind === 'account' ? [target] : []));
}
