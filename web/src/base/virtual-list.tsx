import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface VirtualListProps {
  readonly count: number;
  /** Height of every row in CSS pixels. */
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** Told which rows are (nearly) seen, so that their data can be fetched. */
  readonly onRange?: (first: number, last: number) => void;
  readonly label: string;
  /** Scroll so that this row is seen when it changes. */
  readonly active?: number | undefined;
  readonly class?: string;
  /** Changing it scrolls to the top: another list. */
  readonly listKey?: string;
}

/** Rows drawn beyond what is seen. */
const OVERSCAN = 8;
/** The most a browser scrolls through in one element, with room to spare. */
const MOST_PIXELS = 12_000_000;

/** A list of any length of which only the rows near the view exist; they have one height. Role listbox is the caller's rows' affair. */
export function VirtualList({
  count,
  rowHeight,
  row,
  onRange,
  label,
  active,
  class: className = '',
  listKey,
}: VirtualListProps) {
  const element = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, last: 30 });
  const height = Math.min(count * rowHeight, MOST_PIXELS);
  const look = (): void => {
    const at = element.current;
    if (at === null) return;
    const first = Math.max(0, Math.floor(at.scrollTop / rowHeight) - OVERSCAN);
    const last = Math.min(count, Math.ceil((at.scrollTop + at.clientHeight) / rowHeight) + OVERSCAN);
    setView((old) => (old.first === first && old.last === last ? old : { first, last }));
  };
  useEffect(() => {
    const at = element.current;
    if (at === null) return undefined;
    const sizes = new ResizeObserver(look);
    sizes.observe(at);
    look();
    return () => sizes.disconnect();
  }, [count, rowHeight]);
  useEffect(() => {
    element.current?.scrollTo(0, 0);
  }, [listKey]);
  useEffect(() => onRange?.(view.first, view.last), [view.first, view.last, count, listKey]);
  useEffect(() => {
    const at = element.current;
    if (at === null || active === undefined || active < 0) return;
    const top = active * rowHeight;
    if (top < at.scrollTop) at.scrollTop = top;
    else if (top + rowHeight > at.scrollTop + at.clientHeight)
      at.scrollTop = top + rowHeight - at.clientHeight;
  }, [active]);
  const rows: ComponentChildren[] = [];
  for (let index = view.first; index < Math.min(view.last, count); index++) rows.push(row(index));
  return (
    <div
      ref={element}
      class={`virtual-list ${className}`}
      onScroll={look}
      aria-label={label}
      role="list"
      tabIndex={-1}
    >
      <div style={{ height: `${height}px`, position: 'relative' }} role="presentation">
        <div
          style={{ position: 'absolute', insetInline: 0, top: `${view.first * rowHeight}px` }}
          role="presentation"
        >
          {rows}
        </div>
      </div>
    </div>
  );
}
