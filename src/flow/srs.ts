import { createHmac } from 'node:crypto';
import type { ResolvedTarget } from '../data/directory/types.ts';
import { formatAddress, type Mailbox, parsePath } from '../mail/address/path.ts';
import { srsForward, srsReverse, srsToken } from '../mail/srs.ts';
import type { FlowDeps } from './deps.ts';
import { addressText } from './recipient.ts';
import { replies } from './replies.ts';

/** Letters of a token: 160 bits in base 32 and then some would not fit; 120 bits never collide by chance. */
const TOKEN_LENGTH = 24;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The reverse-path for sending a message on from `via`, an address of ours. The sender's own would fail SPF at the next
 * host, so it is rewritten into one of ours from which bounces find back; one that does not fit is kept under a token.
 */
export async function forwardedReversePath(
  deps: FlowDeps,
  reversePath: string,
  via: string,
): Promise<string> {
  const sender = parsePath(reversePath, { smtputf8: true, maxLocalPartOctets: 254 });
  if (sender.kind !== 'mailbox') return '';
  if ((await deps.store.read.run('directory.domain', { name: sender.domain })) !== undefined)
    return reversePath;
  const key = deps.settings.srsKeys[0];
  if (key === undefined) return '';
  const ourDomain = via.slice(via.lastIndexOf('@') + 1);
  return rewrittenFrom(deps, reversePath, sender, ourDomain, key);
}

/** The same sender has the same token, so a list's thousand messages keep one row. */
function tokenOf(address: string, key: Buffer): string {
  const digest = createHmac('sha256', key).update(`srs token ${address}`).digest();
  let token = '';
  for (const octet of digest.subarray(0, TOKEN_LENGTH)) token += ALPHABET.charAt(octet & 31);
  return token;
}

/** Stands for nobody: no token of a sender is like it. */
const NOBODY = '0';

/**
 * An address of `ourDomain` to send from where the null reverse-path is not taken (RFC 5321 4.5.5 wants it for
 * notifications; Amazon SES does not know it). What comes to it is taken and thrown away, so that nothing ever answers a
 * notification. Undefined without an SRS key.
 */
export function nullStandIn(deps: FlowDeps, ourDomain: string): string | undefined {
  const key = deps.settings.srsKeys[0];
  return key && formatAddress(srsToken(NOBODY, ourDomain, key, deps.clock.now()));
}

/**
 * A reverse-path of `ourDomain`, whatever domain `reversePath` is of, from which bounces find back to it. Undefined
 * without an SRS key and where it does not parse.
 */
export async function reversePathOf(
  deps: FlowDeps,
  reversePath: string,
  ourDomain: string,
): Promise<string | undefined> {
  const sender = parsePath(reversePath, { smtputf8: true, maxLocalPartOctets: 254 });
  const key = deps.settings.srsKeys[0];
  if (sender.kind !== 'mailbox' || key === undefined) return undefined;
  return rewrittenFrom(deps, reversePath, sender, ourDomain, key);
}

async function rewrittenFrom(
  deps: FlowDeps,
  reversePath: string,
  sender: Mailbox,
  ourDomain: string,
  key: Buffer,
): Promise<string> {
  const rewritten = srsForward(sender, ourDomain, key, deps.clock.now());
  if (rewritten.kind === 'rewritten') return formatAddress(rewritten.address);
  if (rewritten.kind === 'unchanged') return reversePath;
  const token = tokenOf(reversePath, key);
  await deps.store.write.run('srs.keep', { token, address: reversePath });
  return formatAddress(srsToken(token, ourDomain, key, deps.clock.now()));
}

/**
 * A recipient that is a rewritten address of ours leads back to the original sender, for notifications only. Undefined
 * when it is an ordinary address; throws the refusal for one that was forged, is too old, or gets ordinary mail.
 */
export async function srsTarget(
  deps: FlowDeps,
  mailbox: Mailbox,
  reversePath: string,
): Promise<readonly ResolvedTarget[] | undefined> {
  const original = srsReverse(mailbox.localPart, deps.settings.srsKeys, deps.clock.now());
  if (original.kind === 'not-srs') return undefined;
  const ours = await deps.store.read.run('directory.domain', { name: mailbox.domain });
  if (ours === undefined) return undefined;
  if (original.kind === 'refused') throw replies.badSrs(original.reason);
  if (original.kind === 'token' && original.token === NOBODY) return [];
  if (reversePath !== '') throw replies.srsNotBounce();
  const address =
    original.kind === 'original'
      ? formatAddress(original.address)
      : await deps.store.read.run('srs.address', { token: original.token });
  if (address === undefined) throw replies.badSrs('expired');
  return [{ kind: 'external', address, via: [addressText(mailbox)] }];
}
