import { errorText } from '../../base/errors.ts';
import { directoryOf, type WantedCertificate } from '../../data/certificates/settings.ts';
import type { IssuedCertificate, RenewalWish } from '../../data/certificates/types.ts';
import { askRenewal, renewalByWindow } from '../../net/acme/renewal.ts';
import { type Authority, fraction } from './issue.ts';
import { haveOf, type Keeping, readCertificates } from './keeping.ts';
import { asksAt } from './schedule.ts';

/** When the authority wants certificates renewed (RFC 9773). */

/** Milliseconds until an authority that could not be asked, or has no wish, is asked again. */
const ASK_LATER_MS = 6 * 3_600_000;

/** Whether the authority is to be asked about any. */
export function asksNow(keeping: Keeping, wants: readonly WantedCertificate[]): boolean {
  const [directory, now] = [directoryOf(keeping.settings), keeping.clock.now()];
  return wants.some(({ name }) => asksAt(haveOf(keeping, name), directory) <= now);
}

/** Ask about those whose time it is (RFC 9773 section 4.3). */
export async function askWishes(
  keeping: Keeping,
  authority: Authority,
  wants: readonly WantedCertificate[],
): Promise<void> {
  const { store, clock } = keeping;
  for (const { name } of wants) {
    const have = haveOf(keeping, name);
    if (have?.issued === undefined || asksAt(have, authority.directory) > clock.now()) continue;
    const next = await ask(keeping, authority, name, have.issued, have.wish);
    await store.write.run('certificates.wished', { name, ...next });
  }
  await readCertificates(keeping);
}

interface Next {
  readonly wish: RenewalWish | undefined;
  readonly renewAt: number;
  readonly askAt: number;
}

async function ask(
  { clock, logger }: Keeping,
  authority: Authority,
  name: string,
  { chain, renewAt }: IssuedCertificate,
  wish: RenewalWish | undefined,
): Promise<Next> {
  const now = clock.now();
  try {
    const info = await askRenewal(authority.client, chain);
    if (info !== undefined) {
      // A moment is chosen once for each window (RFC 9773 section 4.2).
      const same = wish?.start === info.start && wish.end === info.end;
      const chosen = same ? renewAt : renewalByWindow(info, fraction());
      return { wish: info, renewAt: chosen, askAt: now + info.askAgainMs };
    }
  } catch (error) {
    logger.info({ name, error: errorText(error) }, 'acme: the authority could not be asked about renewal');
  }
  return { wish, renewAt, askAt: now + ASK_LATER_MS };
}
