import type { ComponentChildren } from 'preact';
import { texts } from '../base/i18n.ts';
import { TrashButton } from './trash-button.tsx';

interface NamedListProps<R> {
  readonly rows: readonly R[];
  readonly busy: boolean;
  /** What is said of one below its name. */
  readonly about: (row: R) => ComponentChildren;
  readonly onRemove: (row: R) => void;
}

/** Things with a name that can be taken away one by one; nothing where there are none. */
export function NamedList<R extends { readonly id: number | string; readonly name: string }>({
  rows,
  busy,
  about,
  onRemove,
}: NamedListProps<R>) {
  const base = texts('base');
  if (rows.length === 0) return null;
  return (
    <ul class="settings-list">
      {rows.map((row) => (
        <li key={row.id} class="settings-item">
          <div class="settings-item-main">
            <div class="settings-item-name">{row.name}</div>
            <div class="soft small">{about(row)}</div>
          </div>
          <TrashButton label={`${base('remove')}: ${row.name}`} busy={busy} onClick={() => onRemove(row)} />
        </li>
      ))}
    </ul>
  );
}
