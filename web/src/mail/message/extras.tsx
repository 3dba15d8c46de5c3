import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadTexts } from '../../base/i18n.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email } from '../../jmap/types.ts';
import { isTnef, partsOf } from './load.ts';

/** What only some messages have: invitations, signatures, encryption. Each is fetched when a message needs it. */

export interface ExtraProps {
  readonly email: Email;
  readonly store: AccountStore;
  /** Show this in the place of the message: what was wrapped in it. */
  readonly onInner: (inner: Email | undefined) => void;
}

type Extra = ComponentType<ExtraProps>;

const ENCRYPTION = /^(?:multipart\/(?:signed|encrypted)|application\/(?:x-)?pkcs7-mime)$/i;

function wanted(email: Email): (() => Promise<Extra>)[] {
  const parts = partsOf(email.bodyStructure);
  const types = parts.map(({ type }) => type);
  const loads: (() => Promise<Extra>)[] = [];
  const inline = Object.values(email.bodyValues).some(({ value }) => value.includes('-----BEGIN PGP '));
  if (types.some((type) => ENCRYPTION.test(type)) || inline)
    loads.push(async () => {
      const [{ Security }] = await Promise.all([import('./security.tsx'), loadTexts('signatures')]);
      return Security;
    });
  if (types.includes('text/calendar')) loads.push(async () => (await import('./invitation.tsx')).Invitation);
  if (parts.some(isTnef)) loads.push(async () => (await import('./tnef.tsx')).Tnef);
  return loads;
}

export function MessageExtras({ email, store, onInner }: ExtraProps) {
  const [extras, setExtras] = useState<readonly Extra[]>([]);
  useEffect(() => {
    let gone = false;
    void Promise.all(wanted(email).map((load) => load())).then(
      (found) => !gone && setExtras(found),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [email.id]);
  return (
    <>
      {extras.map((Each, i) => (
        <Each key={i} email={email} store={store} onInner={onInner} />
      ))}
    </>
  );
}
