import { useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import {
  FORM_KINDS,
  formOf,
  NO_TRANSPORT,
  secretName,
  settingsOf,
  type TransportForm as Values,
  type TransportSettings,
} from './transport-values.ts';

interface TransportFormProps {
  /** The one that is changed; undefined: a new one. */
  readonly edited: readonly [name: string, settings: TransportSettings] | undefined;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

/** A way to send: fields for the usual kinds, JSON for the rest. */
export function TransportForm({ edited, onClose, onSaved }: TransportFormProps) {
  const t = texts('admin');
  const base = texts('base');
  const [form, setForm] = useState<Values>(edited === undefined ? NO_TRANSPORT : formOf(...edited));
  const { busy, problems, save } = useSave();
  const change = (values: Partial<Values>): void => setForm({ ...form, ...values });
  const keep = async (): Promise<void> => {
    const name = form.name.trim();
    const done = await save(async () => {
      const { secret } = form;
      const typed = form.kind === 'json' ? '' : secret;
      const path =
        typed === ''
          ? undefined
          : (
              await admin<{ path: string }>('PUT', `/secrets/${encodeURIComponent(secretName(name))}`, {
                text: typed,
                replace: true,
              })
            ).path;
      const settings = settingsOf(form, edited?.[1], path);
      const replace = edited !== undefined;
      await admin('PUT', `/routing/transports/${encodeURIComponent(name)}`, { settings, replace });
    });
    if (done) onSaved();
  };
  const kinds: Readonly<Record<Values['kind'], string>> = {
    direct: t('kindDirect'),
    relay: t('kindRelay'),
    'ses-api': t('kindSesApi'),
    'ses-smtp': t('kindSesSmtp'),
    json: t('kindOther'),
  };
  return (
    <Dialog title={edited?.[0] ?? t('transportAdd')} wide onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void keep();
        }}
      >
        <div class="settings-pair">
          <Field label={t('kind')}>
            {(input) => (
              <select
                {...input}
                value={form.kind}
                onChange={(event) => {
                  const kind = event.currentTarget.value as Values['kind'];
                  // There is one direct way, and it is called so.
                  change({ kind, ...(kind === 'direct' && edited === undefined && { name: 'direct' }) });
                }}
              >
                {[...FORM_KINDS, 'json' as const].map((kind) => (
                  <option key={kind} value={kind}>
                    {kinds[kind]}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Text
            label={t('name')}
            value={form.name}
            required
            disabled={edited !== undefined}
            onInput={(name) => change({ name })}
          />
        </div>
        <Kind form={form} change={change} known={edited !== undefined} />
        {Object.values(problems).map((each) => (
          <p key={each} class="note danger" role="alert">
            {each}
          </p>
        ))}
        <div class="dialog-foot">
          <button type="submit" class="button primary" disabled={busy}>
            {base('save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface KindProps {
  readonly form: Values;
  readonly change: (values: Partial<Values>) => void;
  /** It is there already: a secret that is not typed stays. */
  readonly known: boolean;
}

/** The fields of a kind. */
function Kind({ form, change, known }: KindProps) {
  const t = texts('admin');
  const secretHint = known ? t('secretKept') : t('secretHint');
  const secret = (label: string) => (
    <Field label={label} hint={secretHint}>
      {(input) => (
        <input
          {...input}
          type="password"
          autocomplete="off"
          value={form.secret}
          onInput={(event) => change({ secret: event.currentTarget.value })}
        />
      )}
    </Field>
  );
  switch (form.kind) {
    case 'direct':
      return (
        <Text
          label={t('heloName')}
          hint={t('heloHint')}
          value={form.helo}
          onInput={(helo) => change({ helo })}
        />
      );
    case 'relay':
      return (
        <>
          <div class="settings-pair">
            <Text label={t('host')} value={form.host} required onInput={(host) => change({ host })} />
            <Text label={t('port')} value={form.port} required onInput={(port) => change({ port })} />
          </div>
          <Field label={t('encryption')}>
            {(input) => (
              <select
                {...input}
                value={form.tls}
                onChange={(event) => change({ tls: event.currentTarget.value })}
              >
                <option value="required">{t('tlsRequired')}</option>
                <option value="implicit">{t('tlsImplicit')}</option>
                <option value="opportunistic">{t('tlsOpportunistic')}</option>
                <option value="none">{t('tlsNone')}</option>
              </select>
            )}
          </Field>
          <div class="settings-pair">
            <Text
              label={t('user')}
              hint={t('userHint')}
              value={form.user}
              onInput={(user) => change({ user })}
            />
            {secret(t('password'))}
          </div>
        </>
      );
    case 'json':
      return (
        <Field label="JSON" hint={t('jsonHint')}>
          {(input) => (
            <textarea
              {...input}
              class="input mono"
              rows={10}
              spellcheck={false}
              value={form.json}
              onInput={(event) => change({ json: event.currentTarget.value })}
            />
          )}
        </Field>
      );
    default:
      return (
        <>
          <div class="settings-pair">
            <Text
              label={t('region')}
              value={form.region}
              required
              placeholder="eu-west-1"
              onInput={(region) => change({ region })}
            />
            <Text
              label={t('configurationSet')}
              value={form.configurationSet}
              onInput={(configurationSet) => change({ configurationSet })}
            />
          </div>
          {secret(t('accessKey'))}
        </>
      );
  }
}

interface TextProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly required?: boolean;
  readonly disabled?: boolean;
  readonly placeholder?: string;
  readonly onInput: (value: string) => void;
}

/** One line of text that no browser should correct. */
export function Text({ label, hint, onInput, ...rest }: TextProps) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })}>
      {(input) => (
        <input
          {...input}
          {...rest}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
