import type { Clock } from '../../base/clock.ts';
import type { SesApi, SesIdentity } from '../../net/aws/types.ts';

/** Milliseconds the list of identities is believed, and a failed question for it is not repeated. */
const BELIEVED_MS = 600_000;
const UNKNOWN_MS = 60_000;

export interface Identities {
  /** Those we may send as; undefined: nobody tells us, so SES itself has to judge. */
  list(): Promise<readonly SesIdentity[] | undefined>;
  /** SES judged otherwise than the list. */
  doubt(): void;
}

export interface IdentitySettings {
  readonly identities?: readonly string[] | undefined;
  readonly source_arn?: string | undefined;
  readonly from_arn?: string | undefined;
}

/** The identities of a way: those named in its settings, else what the API lists (`api` undefined: it cannot be asked). */
export function createIdentities(
  settings: IdentitySettings,
  api: SesApi | undefined,
  clock: Clock,
  onFailure: (error: unknown) => void = () => undefined,
): Identities {
  // Identities of another account that lets us use them stand in no list of ours.
  const lent = [settings.source_arn, settings.from_arn].flatMap((arn) => identityOfArn(arn) ?? []);
  const named = settings.identities?.map(identityOf);
  if (named !== undefined) {
    const all = [...named, ...lent];
    return { list: () => Promise.resolve(all), doubt: () => undefined };
  }
  if (api === undefined) return { list: () => Promise.resolve(undefined), doubt: () => undefined };
  let known: { readonly at: number; readonly found: readonly SesIdentity[] | undefined } | undefined;
  let asking: Promise<readonly SesIdentity[] | undefined> | undefined;
  const ask = async (): Promise<readonly SesIdentity[] | undefined> => {
    let found: readonly SesIdentity[] | undefined;
    try {
      found = [...(await api.identities()).filter(({ verified }) => verified), ...lent];
    } catch (error) {
      onFailure(error);
      // What we knew is still the best guess.
      found = known?.found;
    }
    known = { at: clock.monotonic(), found };
    return found;
  };
  return {
    list() {
      const lasts = known?.found === undefined ? UNKNOWN_MS : BELIEVED_MS;
      if (known !== undefined && clock.monotonic() - known.at < lasts) return Promise.resolve(known.found);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    doubt() {
      if (known !== undefined && clock.monotonic() - known.at > UNKNOWN_MS) known = undefined;
    },
  };
}

/** "example.org" or "alice@example.org" as somebody wrote it down. */
function identityOf(text: string): SesIdentity {
  const name = text.trim().toLowerCase();
  return { name, kind: name.includes('@') ? 'address' : 'domain', verified: true };
}

/** The identity that an ARN ends in: "arn:aws:ses:eu-west-1:123456789012:identity/example.org". */
function identityOfArn(arn: string | undefined): SesIdentity | undefined {
  const name = /:identity\/(.+)$/.exec(arn ?? '')?.[1];
  return name === undefined ? undefined : identityOf(name);
}

/** The identity that lets us send as `address`: itself, its domain, or a domain above that. Undefined: none does. */
export function covering(identities: readonly SesIdentity[], address: string): SesIdentity | undefined {
  const lower = address.toLowerCase();
  const domain = lower.slice(lower.lastIndexOf('@') + 1);
  return (
    identities.find(({ kind, name }) => kind === 'address' && name === lower) ??
    identities.find(({ kind, name }) => kind === 'domain' && (domain === name || domain.endsWith(`.${name}`)))
  );
}

export interface ArnSettings {
  readonly source_arn?: string | undefined;
  readonly from_arn?: string | undefined;
  readonly return_path_arn?: string | undefined;
}

export interface Arns {
  readonly sourceArn: string | undefined;
  readonly fromArn: string | undefined;
  readonly returnPathArn: string | undefined;
}

/**
 * The ARNs to name for a message: those of identities that cover its addresses, for SES refuses any other. The source's
 * stands in for the two that are not given.
 */
export function arnsFor(settings: ArnSettings, envelope: string, author: string): Arns {
  const { source_arn: source, from_arn: from, return_path_arn: returnPath } = settings;
  return {
    sourceArn: fitting(source, envelope),
    fromArn: fitting(from ?? source, author),
    returnPathArn: fitting(returnPath ?? source, envelope),
  };
}

/** An ARN that names no identity in a form that we know is SES's to judge. */
function fitting(arn: string | undefined, address: string): string | undefined {
  const identity = identityOfArn(arn);
  return identity === undefined || covering([identity], address) !== undefined ? arn : undefined;
}
