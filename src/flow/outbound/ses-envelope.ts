import { limits } from '../../base/limits.ts';
import type { MessageContent } from './transport.ts';
import { firstOctets } from './content.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import { displayAddresses } from '../../mail/message/addresses.ts';
import { foldField, formatAddress } from '../../mail/message/build.ts';
import { forEachField, unfold } from '../../mail/message/headers.ts';
import type { HeaderField } from '../../mail/message/structure.ts';

/** Addresses of a field that are looked at. */
const ADDRESSES_MAX = 20;

/**
 * Fields that would command SES instead of being sent (its SMTP endpoint obeys them; the API does some): they come from
 * users and from strangers whose mail is sent on. Verdicts that SES writes into mail it received are none of these.
 */
const COMMANDS: ReadonlySet<string> = new Set([
  'x-ses-configuration-set',
  'x-ses-message-tags',
  'x-ses-source-arn',
  'x-ses-from-arn',
  'x-ses-return-path-arn',
  'x-ses-list-management-options',
  'x-ses-tenant',
  'x-ses-tenant-name',
]);

/** Fields that must not leave: who was copied blindly, and a return path that SES would take for ours (RFC 5321 4.4). */
const PRIVATE: ReadonlySet<string> = new Set(['bcc', 'resent-bcc', 'return-path']);

/** The header section of a message as it stands, and whom it names. */
export interface SesHeader {
  /** latin1, without the empty line. */
  readonly text: string;
  readonly fields: readonly HeaderField[];
  /** Addresses, domains as A-labels in lower case. */
  readonly from: readonly string[];
  readonly sender: readonly string[];
}

export async function readSesHeader(content: MessageContent): Promise<SesHeader> {
  const text = (await firstOctets(content, limits.headerBytes + 2)).toString('latin1');
  const fields: HeaderField[] = [];
  forEachField(text, 0, (field) => {
    fields.push(field);
    return true;
  });
  // A header beyond all limits: its last field may be cut, and stays with what is only passed on.
  if (text.length > limits.headerBytes) fields.pop();
  const end = fields.at(-1)?.end ?? 0;
  const named = (name: string): string[] =>
    fields
      .filter((field) => field.name === name)
      .flatMap((field) => addressesOf(unfold(text.slice(field.valueStart, field.end))));
  return { text: text.slice(0, end), fields, from: named('from'), sender: named('sender') };
}

/** Addresses of a field's value, domains as A-labels in lower case. */
export function addressesOf(value: string): string[] {
  return displayAddresses(value, ADDRESSES_MAX).flatMap(({ address }) => {
    const at = address.lastIndexOf('@');
    const domain = at < 1 ? undefined : normalizeDomain(address.slice(at + 1));
    return domain === undefined ? [] : [`${address.slice(0, at)}@${domain}`];
  });
}

/** What is to be changed beyond hygiene. */
export interface SesChange {
  /** Further fields, whole lines. */
  readonly add?: readonly string[];
  /** The address that From shall have instead of its own; see `rewriteFrom`. */
  readonly from?: string | undefined;
  /** Whether a domain is one that we sign for. */
  readonly ours?: (domain: string) => boolean;
}

/**
 * The message as SES gets it: without the fields that would command SES or tell what is private, with those of ours in
 * front. Streams the body; what needs no change is not changed at all, so that its DKIM signature holds.
 */
export function sesContent(content: MessageContent, header: SesHeader, change: SesChange): MessageContent {
  const rewritten = change.from === undefined ? undefined : rewriteFrom(header, change.from);
  const kept = header.fields.filter((field) => {
    if (COMMANDS.has(field.name) || PRIVATE.has(field.name)) return false;
    if (rewritten === undefined) return true;
    if (field.name === 'dkim-signature') return !isOurSignature(header, field, change.ours);
    return !rewritten.replaced.has(field.name);
  });
  const add = [...(change.add ?? []), ...(rewritten?.fields ?? [])];
  if (add.length === 0 && kept.length === header.fields.length) return content;
  const text = kept.map(({ start, end }) => header.text.slice(start, end)).join('');
  const made = Buffer.from(add.join('') + text, 'latin1');
  const skip = header.text.length;
  return {
    size: content.size - skip + made.length,
    async *open() {
      yield made;
      let left = skip;
      for await (const piece of content.open()) {
        if (left >= piece.length) left -= piece.length;
        else {
          yield left === 0 ? piece : piece.subarray(left);
          left = 0;
        }
      }
    },
  };
}

/** A signature of ours over a From that is another now: it would only fail. Others' are evidence and stay. */
function isOurSignature(header: SesHeader, field: HeaderField, ours: SesChange['ours']): boolean {
  const value = unfold(header.text.slice(field.valueStart, field.end));
  const domain = /(?:^|;)[ \t]*d[ \t]*=[ \t]*([^;\s]{1,255})/i.exec(value)?.[1];
  return domain !== undefined && ours?.(domain.toLowerCase()) === true;
}

/**
 * Fields for a message whose author SES does not let us send as: From becomes `Name via example.org <address>`, replies
 * go to the author as before, and the original From is kept beside.
 */
function rewriteFrom(
  header: SesHeader,
  address: string,
): { readonly fields: readonly string[]; readonly replaced: ReadonlySet<string> } {
  const valueOf = (name: string): string | undefined => {
    const field = header.fields.find((each) => each.name === name);
    return field && unfold(header.text.slice(field.valueStart, field.end)).trim();
  };
  const original = valueOf('from') ?? '';
  const authors = displayAddresses(original, ADDRESSES_MAX);
  const name = authors[0] === undefined ? '' : authors[0].name || authors[0].address.replace(/@.*$/, '');
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const shown = name === '' ? `via ${domain}` : `${name} via ${domain}`;
  const fields = [foldField('From', formatAddress(shown, address))];
  if (authors.length > 0) {
    const text = authors.map((each) => formatAddress(each.name, each.address)).join(', ');
    if (valueOf('reply-to') === undefined) fields.push(foldField('Reply-To', text));
    fields.push(foldField('X-Original-From', text));
  }
  return { fields, replaced: new Set(['from', 'sender']) };
}
