import { useEffect, useState } from 'preact/hooks';
import { Loading } from '../base/states.tsx';
import { navigate, route } from '../base/router.ts';
import { adopt, me } from '../base/session.ts';
import { Password } from './password.tsx';
import { SecondFactor, type Ticket } from './second-factor.tsx';

/**
 * Signing in. Who wanted another page and was sent here is there already by the address; who came to /sign-in itself
 * goes on to `?to=`, a path of ours.
 */
export default function Page() {
  const [ticket, setTicket] = useState<Ticket | undefined>(undefined);
  const [notice, setNotice] = useState<string | undefined>(undefined);
  const here = route.value.parts[0] === 'sign-in';
  useEffect(() => {
    if (me.value !== undefined && here) navigate(wantedPath(route.value.query.get('to')), { replace: true });
  }, [me.value, here]);
  if (me.value !== undefined) return <Loading />;
  if (ticket !== undefined)
    return (
      <SecondFactor
        ticket={ticket}
        onDone={adopt}
        onBack={(sentence) => {
          setTicket(undefined);
          setNotice(sentence);
        }}
      />
    );
  return <Password notice={notice} onDone={adopt} onSecondFactor={setTicket} />;
}

/** A path of the app only: nobody is led elsewhere by a link to this page. */
function wantedPath(to: string | null): string {
  return to !== null && /^\/(?![/\\])/.test(to) && !to.startsWith('/sign-in') ? to : '/mail';
}
