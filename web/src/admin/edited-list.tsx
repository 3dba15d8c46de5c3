import type { ComponentChildren } from 'preact';
import { confirm } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import type { Remote } from '../base/remote.ts';
import { TrashButton } from '../settings/trash-button.tsx';
import { useSave } from '../settings/use-save.ts';
import { LineForm } from './line-form.tsx';
import { type Column, DataTable } from './table.tsx';

interface EditedListProps<A, R> {
  readonly label: string;
  readonly remote: Remote<A>;
  readonly rows: (answer: A) => readonly R[];
  /** What a row is called, which no other is. */
  readonly name: (row: R) => string;
  readonly columns: readonly Column<R>[];
  readonly empty: string;
  /** The fields of what is added; `problem`: what the server says is wrong. */
  readonly fields: (problem: string | undefined) => ComponentChildren;
  /** What the button says; "Add" otherwise. */
  readonly addWords?: string;
  /** Send what was typed, and clear the fields. */
  readonly add: () => Promise<unknown>;
  readonly removeTitle: (name: string) => string;
  readonly remove: (row: R) => Promise<unknown>;
}

/** A list that is added to above it, and whose lines are removed one by one. */
export function EditedList<A, R>(props: EditedListProps<A, R>) {
  const { label, remote, rows, name, columns, empty, fields, addWords, add, remove } = props;
  const base = texts('base');
  const { busy, problems, save } = useSave();
  const change = (run: () => Promise<unknown>): Promise<boolean> =>
    save(async () => {
      await run();
      await remote.reload();
    });
  const ask = async (row: R): Promise<void> => {
    const title = props.removeTitle(name(row));
    if (await confirm({ title, yes: base('remove'), danger: true })) await change(() => remove(row));
  };
  return (
    <>
      <LineForm yes={addWords ?? base('add')} busy={busy} primary onSubmit={() => change(add)}>
        {fields(Object.values(problems)[0])}
      </LineForm>
      <RemoteView remote={remote}>
        {(answer) => (
          <DataTable
            label={label}
            rows={rows(answer)}
            rowKey={name}
            empty={empty}
            columns={[
              ...columns,
              {
                title: '',
                end: true,
                cell: (row) => (
                  <TrashButton
                    label={`${base('remove')}: ${name(row)}`}
                    busy={busy}
                    onClick={() => void ask(row)}
                  />
                ),
              },
            ]}
          />
        )}
      </RemoteView>
    </>
  );
}
