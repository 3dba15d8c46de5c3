import type { ComponentChildren } from 'preact';

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
  /** What stands there when there are none. */
  readonly empty: string;
}

/** A table that scrolls sideways in itself where the window is narrow; the first column names the row. */
export function DataTable<R>({ label, rows, columns, rowKey, empty }: DataTableProps<R>) {
  if (rows.length === 0) return <p class="soft">{empty}</p>;
  return (
    <div class="admin-scroll" role="region" aria-label={label} tabIndex={0}>
      <table class="table">
        <thead>
          <tr>
            {columns.map(({ title, end }) =>
              title === '' ? (
                <td key={title} />
              ) : (
                <th key={title} scope="col" class={end === true ? 'admin-end' : undefined}>
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ title, cell, end }) => (
                <td key={title} class={end === true ? 'admin-end' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
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
