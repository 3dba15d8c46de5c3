import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** What is wrong with what was entered. */
  readonly problem?: string | undefined;
  /** Draws the input with the attributes that tie it to its label, hint and problem. */
  readonly children: (attributes: FieldAttributes) => ComponentChildren;
}

export interface FieldAttributes {
  readonly id: string;
  readonly class: 'input';
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: 'true';
}

/** A labelled input, with a hint and what is wrong with it. */
export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId();
  const attributes: FieldAttributes = {
    id,
    class: 'input',
    ...((hint !== undefined || problem !== undefined) && { 'aria-describedby': `${id}-about` }),
    ...(problem !== undefined && { 'aria-invalid': 'true' as const }),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(attributes)}
      <div id={`${id}-about`}>
        {problem !== undefined ? (
          <div class="problem" role="alert">
            {problem}
          </div>
        ) : (
          hint !== undefined && <div class="hint">{hint}</div>
        )}
      </div>
    </div>
  );
}

interface CheckProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function Check({ label, checked, onChange, disabled = false }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
