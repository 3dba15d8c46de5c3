import { api } from '../base/http.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { AppPasswords } from './app-passwords.tsx';
import { ConfirmSelf } from './confirm-self.tsx';
import { Passkeys } from './passkeys.tsx';
import { Password } from './password.tsx';
import { PATH, type Security as Facts } from './security-types.ts';
import { Sessions } from './sessions.tsx';
import { Totp } from './totp.tsx';

export interface SecurityProps {
  readonly facts: Facts;
  readonly reload: () => Promise<void>;
}

/** Who gets in to this account, and how. */
export function Security() {
  const remote = useRemote((signal) => api<Facts>('GET', PATH, undefined, { signal }), []);
  return (
    <>
      <RemoteView remote={remote}>
        {(facts) => (
          <>
            <Password facts={facts} reload={remote.reload} />
            <Totp facts={facts} reload={remote.reload} />
            <Passkeys facts={facts} reload={remote.reload} />
            <AppPasswords facts={facts} reload={remote.reload} />
            <Sessions facts={facts} reload={remote.reload} />
          </>
        )}
      </RemoteView>
      <ConfirmSelf />
    </>
  );
}
