import { Field, type FieldAttributes } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { isLongEnough, LEAST_PASSWORD } from './form.ts';
import type { Problem } from './problems.ts';
import { Secret } from './secret.tsx';

/** What somebody who gets a mailbox says of themselves. */
export interface Person {
  readonly displayName: string;
  readonly password: string;
}

export const NOBODY: Person = { displayName: '', password: '' };

/** What is wrong with it before the server is asked. */
export function personProblem(
  { password }: Person,
  t: ReturnType<typeof texts<'signIn'>>,
): Problem | undefined {
  return isLongEnough(password)
    ? undefined
    : { sentence: t('passwordShort', { least: LEAST_PASSWORD }), field: 'password' };
}

interface PersonFieldsProps {
  readonly person: Person;
  readonly onChange: (person: Person) => void;
  /** What is wrong with a field. */
  readonly of: (field: string) => string | undefined;
}

/** Name and new password. */
export function PersonFields({ person, onChange, of }: PersonFieldsProps) {
  const t = texts('signIn');
  return (
    <>
      <Field label={t('yourName')} hint={t('yourNameHint')} problem={of('displayName')}>
        {(attributes) => (
          <input
            {...attributes}
            name="name"
            autocomplete="name"
            dir="auto"
            value={person.displayName}
            onInput={(event) => onChange({ ...person, displayName: event.currentTarget.value })}
          />
        )}
      </Field>
      <Secret
        label={t('newPassword')}
        hint={t('newPasswordHint', { least: LEAST_PASSWORD })}
        problem={of('password')}
        autocomplete="new-password"
        value={person.password}
        onInput={(password) => onChange({ ...person, password })}
      />
    </>
  );
}

/** The part before the @ of an address that is chosen. */
export function LocalPart({
  attributes,
  value,
  focused,
  onInput,
}: {
  readonly attributes: FieldAttributes;
  readonly value: string;
  readonly focused: boolean;
  readonly onInput: (text: string) => void;
}) {
  return (
    <input
      {...attributes}
      name="username"
      autocomplete="username"
      autocapitalize="off"
      spellcheck={false}
      autofocus={focused}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}
