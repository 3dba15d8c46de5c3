import { limits } from '../../../base/limits.ts';
import type { QueueMessage } from '../../../data/queue/types.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { displayAddresses } from '../../../mail/message/addresses.ts';
import { readHeader } from '../../../mail/message/headers.ts';
import type { FlowDeps } from '../../deps.ts';
import { firstOctets } from '../content.ts';
import type { MessageContent, MessageFacts } from '../transport.ts';

/** Addresses of From that are looked at. */
const FROM_MAX = 20;

/** What routes and transports may ask of a message; the header is read only where one of them wants it. */
export async function messageFacts(
  deps: FlowDeps,
  message: QueueMessage,
  content: MessageContent | undefined,
): Promise<MessageFacts> {
  const { accountId } = message;
  const account =
    accountId === undefined ? undefined : await deps.store.read.run('directory.account', { id: accountId });
  const known = { message, account: account?.address };
  if (content === undefined) return { ...known, fields: [], from: [] };
  return { ...known, ...headerFacts(await firstOctets(content, limits.headerBytes)) };
}

/** The fields of a header section, and whom its From names. */
export function headerFacts(octets: Buffer): Pick<MessageFacts, 'fields' | 'from'> {
  const header = readHeader(octets);
  const fields = header.fields.map((field) => ({ name: field.name, value: header.value(field) }));
  const from = header
    .all('from')
    .flatMap((value) => displayAddresses(value, FROM_MAX))
    .flatMap(({ address }) => {
      const at = address.lastIndexOf('@');
      const domain = at < 1 ? undefined : normalizeDomain(address.slice(at + 1));
      return domain === undefined ? [] : [`${address.slice(0, at)}@${domain}`];
    });
  return { fields, from };
}
