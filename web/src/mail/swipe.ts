import { useRef, useState } from 'preact/hooks';
import { preferences } from '../base/preferences.ts';
import type { Id } from '../jmap/types.ts';
import { archive, guarded, markSeen, remove, rowsHave } from './actions.ts';
import { currentTargets } from './targets.ts';

/** Pixels sideways from which a finger means it, and those that do it. */
const BEGIN = 12;
const ENOUGH = 96;

/** A finger that moves a row aside: archive, delete, read, as the person chose. */
export function useSwipe(id: Id) {
  const start = useRef<{ x: number; y: number; moving: boolean } | undefined>(undefined);
  const [offset, show] = useState(0);
  // What is drawn lags behind a quick finger; what counts is where it left.
  const last = useRef(0);
  const setOffset = (to: number): void => {
    last.current = to;
    show(to);
  };
  const rtl = document.documentElement.dir === 'rtl';
  const { swipeLeft, swipeRight } = preferences.value;
  const actionOf = (moved: number) => (moved > 0 !== rtl ? swipeRight : swipeLeft);

  const run = async (moved: number): Promise<void> => {
    const action = actionOf(moved);
    const targets = await currentTargets([id]);
    if (action === 'archive') await archive(targets);
    else if (action === 'delete') await remove(targets);
    else if (action === 'read')
      await markSeen(
        targets,
        rowsHave([id], ({ keywords }) => keywords['$seen'] !== true),
      );
  };

  return {
    offset,
    action: actionOf(offset),
    handlers: {
      onTouchStart(event: TouchEvent) {
        const [finger] = event.touches;
        start.current =
          finger && event.touches.length === 1
            ? { x: finger.clientX, y: finger.clientY, moving: false }
            : undefined;
      },
      onTouchMove(event: TouchEvent) {
        const [finger] = event.touches;
        const from = start.current;
        if (from === undefined || finger === undefined) return;
        const [x, y] = [finger.clientX - from.x, finger.clientY - from.y];
        if (!from.moving && Math.abs(y) > BEGIN) start.current = undefined;
        else if (from.moving || Math.abs(x) > BEGIN) {
          from.moving = true;
          setOffset(actionOf(x) === 'none' ? 0 : x);
        }
      },
      onTouchEnd() {
        if (Math.abs(last.current) > ENOUGH) void guarded(() => run(last.current));
        start.current = undefined;
        setOffset(0);
      },
      onTouchCancel() {
        start.current = undefined;
        setOffset(0);
      },
    },
  };
}
