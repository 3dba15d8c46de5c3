import type { EnvelopeAddress } from '../mail/address/path.ts';
import type { FlowDeps } from './deps.ts';
import { tableOwner } from './lookup/resolve.ts';
import type { SessionLogin } from './service.ts';

/**
 * Whether an account may send under an address, in MAIL FROM or in From: its own, as the directory knows it, or by the
 * site's sender-login tables. Throws 451 4.3.0 when a table cannot be asked.
 */
export async function maySendAs(
  deps: FlowDeps,
  login: SessionLogin,
  { localPart, domain }: EnvelopeAddress,
): Promise<boolean> {
  const byTable = await tableOwner(deps, login.accountId, { localPart, domain });
  if (byTable !== undefined && (byTable.owns || byTable.only)) return byTable.owns;
  return deps.store.read.run('directory.maySendAs', {
    accountId: login.accountId,
    localPart,
    domain,
    delimiter: deps.settings.delimiter,
  });
}
