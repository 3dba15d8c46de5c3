import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Failure, Loading } from '../base/states.tsx';

/** The list of mail that waits to be sent, fetched when it is first shown. */
export function ScheduledLazy() {
  const [View, setView] = useState<ComponentType | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import('./scheduled.tsx').then(
      ({ Scheduled }) => setView(() => Scheduled),
      () => setFailed(true),
    );
  }, []);
  if (failed) return <Failure sentence={texts('base')('pageNotLoaded')} onRetry={() => location.reload()} />;
  return View === undefined ? <Loading /> : <View />;
}
