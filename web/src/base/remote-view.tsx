import type { ComponentChildren } from 'preact';
import type { Remote } from './remote.ts';
import { Failure, Loading } from './states.tsx';

/** What came, or that it is coming, or why it did not with a way to try again. */
export function RemoteView<T>({
  remote,
  children,
}: {
  readonly remote: Remote<T>;
  readonly children: (data: T) => ComponentChildren;
}) {
  if (remote.data !== undefined) return <>{children(remote.data)}</>;
  if (remote.error !== undefined)
    return <Failure sentence={remote.error.message} onRetry={() => void remote.reload()} />;
  return <Loading />;
}
