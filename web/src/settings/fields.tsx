import type { ComponentChildren } from 'preact';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';

/** Fields and forms as settings and administration have them again and again. */

const TYPES = {
  text: { type: 'text' },
  email: { type: 'email' },
  password: { type: 'password' },
  search: { type: 'search' },
} as const;

const PLAIN = { autocapitalize: 'off', spellcheck: false } as const;

interface TextProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem?: string | undefined;
  readonly value: string;
  readonly type?: keyof typeof TYPES;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly inputMode?: 'decimal' | 'numeric';
  /** "auto" for what people write: names, notes. */
  readonly dir?: 'auto';
  /** What browsers may fill in; nothing otherwise. */
  readonly autocomplete?: string;
  readonly onInput: (value: string) => void;
}

/** One line of text; none but what people write (`dir`) is corrected by browsers. */
export function Text({ label, hint, problem, type = 'text', onInput, ...rest }: TextProps) {
  return (
    <Field label={label} problem={problem} {...(hint !== undefined && { hint })}>
      {(input) => (
        <input
          {...input}
          autocomplete="off"
          {...(rest.dir === undefined && PLAIN)}
          {...rest}
          {...TYPES[type]}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

interface SelectProps<V extends string> {
  readonly label: string;
  readonly value: V;
  readonly options: readonly (readonly [value: V, label: string])[];
  readonly onChange: (value: V) => void;
}

/** One of several, of which the chosen one is seen. */
export function Select<V extends string>({ label, value, options, onChange }: SelectProps<V>) {
  return (
    <Field label={label}>
      {(input) => (
        <select
          {...input}
          value={value}
          onChange={(event) => {
            const chosen = options.find(([each]) => each === event.currentTarget.value);
            if (chosen !== undefined) onChange(chosen[0]);
          }}
        >
          {options.map(([each, text]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface FormDialogProps {
  readonly title: string;
  readonly wide?: boolean;
  readonly busy: boolean;
  /** Something that it needs was not chosen yet. */
  readonly disabled?: boolean;
  /** What is wrong and stands at no field. */
  readonly problems?: readonly string[];
  readonly onClose: () => void;
  readonly onSubmit: () => unknown;
  /** What saves it; "Save" otherwise. */
  readonly yes?: string;
  /** Further buttons, before the one that saves. */
  readonly buttons?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A form in a dialog, with what is wrong with it, and the button that saves. */
export function FormDialog(props: FormDialogProps) {
  const {
    title,
    wide = false,
    busy,
    disabled = false,
    problems = [],
    onClose,
    onSubmit,
    yes,
    buttons,
    children,
  } = props;
  const base = texts('base');
  return (
    <Dialog title={title} wide={wide} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void onSubmit();
        }}
      >
        {children}
        {problems.map((each) => (
          <p key={each} class="note danger" role="alert">
            {each}
          </p>
        ))}
        <div class="dialog-foot">
          {buttons}
          <button type="button" class="button" onClick={onClose}>
            {base('cancel')}
          </button>
          <button type="submit" class="button primary" disabled={busy || disabled}>
            {yes ?? base('save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
