import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';

interface SecretProps {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | undefined;
  readonly autocomplete: 'current-password' | 'new-password';
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A password's input, whose letters can be shown. */
export function Secret({ label, hint, problem, autocomplete, value, onInput }: SecretProps) {
  const t = texts('signIn');
  const [shown, setShown] = useState(false);
  const toggle = shown ? t('hidePassword') : t('showPassword');
  return (
    <Field label={label} problem={problem} {...(hint !== undefined && { hint })}>
      {(attributes) => (
        <div class="door-secret">
          <input
            {...attributes}
            {...(shown ? { type: 'text' } : { type: 'password' })}
            name="password"
            autocomplete={autocomplete}
            autocapitalize="off"
            spellcheck={false}
            value={value}
            onInput={(event) => onInput(event.currentTarget.value)}
          />
          <button
            type="button"
            class="icon-button"
            aria-label={toggle}
            aria-pressed={shown}
            title={toggle}
            onClick={() => setShown(!shown)}
          >
            <Icon name={shown ? 'eye-off' : 'eye'} />
          </button>
        </div>
      )}
    </Field>
  );
}
