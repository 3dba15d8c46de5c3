import { useId } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { type From, fromOf } from './draft.ts';
import type { Sender } from './recipients.ts';

interface FromFieldProps {
  readonly senders: readonly Sender[];
  readonly from: From | undefined;
  readonly problem: string | undefined;
  readonly onChange: (from: From) => void;
}

/** Who it comes from; not shown where there is no choice. */
export function FromField({ senders, from, problem, onChange }: FromFieldProps) {
  const t = texts('compose');
  const id = useId();
  if (senders.length < 2 && problem === undefined) return null;
  const own = senders.filter(({ label }) => label === undefined);
  const masked = senders.filter(({ label }) => label !== undefined);
  const option = (each: Sender) => {
    const at = senders.indexOf(each);
    return (
      <option key={at} value={at}>
        {each.label !== undefined && each.label !== ''
          ? `${each.label} – ${each.email}`
          : each.name === ''
            ? each.email
            : `${each.name} <${each.email}>`}
      </option>
    );
  };
  const chosen = senders.findIndex(
    ({ identityId, email }) => identityId === from?.identityId && email === from.email,
  );
  return (
    <>
      <div class="compose-row">
        <label for={id}>{t('from')}</label>
        <select
          id={id}
          class="compose-from"
          value={String(Math.max(0, chosen))}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          onChange={(event) => {
            const sender = senders[Number(event.currentTarget.value)];
            if (sender !== undefined) onChange(fromOf(sender));
          }}
        >
          {own.map(option)}
          {masked.length > 0 && <optgroup label={t('masked')}>{masked.map(option)}</optgroup>}
        </select>
      </div>
      {problem !== undefined && (
        <p id={`${id}-problem`} class="compose-field-problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}
