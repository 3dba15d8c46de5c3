import type { Email, EmailAddress } from '../jmap/types.ts';
import { isAddress } from './addresses.ts';
import type { Draft } from './draft.ts';

/** What two copies of a message are compared by. */
type Sent = Pick<Email, 'subject' | 'from' | 'to' | 'cc' | 'bcc'> & {
  readonly attachments: readonly { readonly size: number }[];
};

/** Whether what was sent says what stands in a draft, to the same people: how its lines are broken does not matter. */
export function isSameMessage(draft: Draft, sent: Sent, sentText: string): boolean {
  return (
    bare(draft.subject) === bare(sent.subject ?? '') &&
    addresses(draft.from === undefined ? null : [draft.from]) === addresses(sent.from) &&
    addresses([...draft.to, ...draft.cc, ...draft.bcc]) ===
      addresses([...(sent.to ?? []), ...(sent.cc ?? []), ...(sent.bcc ?? [])]) &&
    sizes(draft.attachments) === sizes(sent.attachments) &&
    bare(draft.text) === bare(sentText)
  );
}

/** Without what the way through lines of mail may change: spaces, line ends, marks of quotations, broken characters. */
function bare(text: string): string {
  return text
    .toWellFormed()
    .normalize()
    .replaceAll(/[\s\p{Cc}>]+/gu, '');
}

function addresses(all: readonly Pick<EmailAddress, 'email'>[] | null): string {
  const good = (all ?? []).map(({ email }) => email.toLowerCase()).filter(isAddress);
  return [...new Set(good)].toSorted().join(' ');
}

function sizes(files: readonly { readonly size: number }[]): string {
  return files
    .map(({ size }) => size)
    .toSorted((a, b) => a - b)
    .join(' ');
}
