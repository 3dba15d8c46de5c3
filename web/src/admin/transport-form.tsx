import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { FormDialog, Select, Text } from '../settings/fields.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import { typedObject } from './typed.ts';
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
  const [form, setForm] = useState<Values>(edited === undefined ? NO_TRANSPORT : formOf(...edited));
  const { busy, problems, save } = useSave();
  const change = (values: Partial<Values>): void => setForm({ ...form, ...values });
  const keep = async (): Promise<void> => {
    const name = form.name.trim();
    const done = await save(async () => {
      if (form.kind === 'json') typedObject(form.json);
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
    <FormDialog
      title={edited?.[0] ?? t('transportAdd')}
      wide
      busy={busy}
      problems={Object.values(problems)}
      onClose={onClose}
      onSubmit={keep}
    >
      <div class="settings-pair">
        <Select
          label={t('kind')}
          value={form.kind}
          options={[...FORM_KINDS, 'json' as const].map((kind) => [kind, kinds[kind]] as const)}
          onChange={(kind) =>
            // There is one direct way, and it is called so.
            change({ kind, ...(kind === 'direct' && edited === undefined && { name: 'direct' }) })
          }
        />
        <Text
          label={t('name')}
          value={form.name}
          required
          disabled={edited !== undefined}
          onInput={(name) => change({ name })}
        />
      </div>
      <Kind form={form} change={change} known={edited !== undefined} />
    </FormDialog>
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
    <Text
      label={label}
      hint={secretHint}
      type="password"
      value={form.secret}
      onInput={(text) => change({ secret: text })}
    />
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
          <Select
            label={t('encryption')}
            value={form.tls}
            options={[
              ['required', t('tlsRequired')],
              ['implicit', t('tlsImplicit')],
              ['opportunistic', t('tlsOpportunistic')],
              ['none', t('tlsNone')],
            ]}
            onChange={(tls) => change({ tls })}
          />
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
