import type { ComponentChildren } from 'preact';
import './table.css';

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => ComponentChildren;
  /** Numbers: set at the end of the line. */
  readonly end?: true;
}

interface DataTableProps<R> {
  readonly label: string;
  readonly rows: readonly R[];
  readonly columns: readonly Column<R>[];
  readonly rowKey: (row: R) => string | number;
  /** What stands there when there are none; '' where nothing is to be said. */
  readonly empty: string;
  /** A name, a value and a button: on phones they need no names of columns. */
  readonly brief?: boolean;
}

/**
 * A table; where the window is narrow each row is a card in which every value has its column's name beside it. Roles are
 * written out: browsers forget those of a table that is drawn as blocks.
 */
export function DataTable<R>({ label, rows, columns, rowKey, empty, brief = false }: DataTableProps<R>) {
  if (rows.length === 0) return empty === '' ? null : <p class="soft">{empty}</p>;
  return (
    <div class="admin-scroll" role="region" aria-label={label} tabIndex={0}>
      <table class={brief ? 'table admin-table admin-table-brief' : 'table admin-table'} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, end }) =>
              title === '' ? (
                <td key={title} role="cell" />
              ) : (
                <th
                  key={title}
                  scope="col"
                  role="columnheader"
                  class={end === true ? 'admin-end' : undefined}
                >
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={rowKey(row)} role="row">
              {columns.map(({ title, cell, end }) => (
                <td
                  key={title}
                  role="cell"
                  data-name={title === '' ? undefined : title}
                  class={end === true ? 'admin-end' : undefined}
                >
                  <div class="admin-cell">{breakable(cell(row))}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** An address is broken behind its "@" rather than within a word. */
export function breakable(content: ComponentChildren): ComponentChildren {
  if (typeof content !== 'string' || !content.includes('@')) return content;
  return content
    .split(/(?<=@)/)
    .flatMap((part, index) => (index === 0 ? [part] : [<wbr key={index} />, part]));
}

/** Facts with their names. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[];
}) {
  return (
    <dl class="admin-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
