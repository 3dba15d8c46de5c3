import type { WriteArgs } from '../../data/store.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { Evidence } from './authenticate.ts';
import { authorIsProven } from './decisions.ts';
import type { Envelope } from './envelope.ts';
import type { Judgement } from './judge.ts';

type Accept = WriteArgs<'delivery.accept'>;

/**
 * Masked addresses that a message came to, and whose it is: the author's domain (its organisational one where DMARC
 * found it), for bulk mail is sent by others in a shop's name; without one the domain of the reverse-path.
 */
export function maskedMail(
  { recipients, reversePath }: Envelope,
  evidence: Evidence,
): Pick<Accept, 'masked'> {
  const ids = recipients.flatMap(({ targets }) =>
    targets.flatMap((target) =>
      target.kind === 'account' && target.masked !== undefined ? [target.masked] : [],
    ),
  );
  if (ids.length === 0) return {};
  const [author = ''] = evidence.author.domains;
  const domain = evidence.dmarc.orgDomain ?? (author !== '' ? author : destinationOf(reversePath));
  return { masked: { ids, domain: domain.slice(0, 255).toLowerCase() } };
}

/** How somebody who has proven who they are calls themselves; unwanted mail names nobody. */
export function correspondent(evidence: Evidence, judgement: Judgement | undefined): Pick<Accept, 'author'> {
  const { address, displayName } = evidence.author;
  if (address === undefined || displayName === '' || !authorIsProven(evidence)) return {};
  const wanted =
    judgement === undefined || [...judgement.accounts.values()].some(({ action }) => action === 'inbox');
  return wanted ? { author: { address, name: displayName } } : {};
}
