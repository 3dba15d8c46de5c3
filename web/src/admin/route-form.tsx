import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { FormDialog, Select, Text } from '../settings/fields.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import type { Json } from './setting-values.ts';
import { typedObject } from './typed.ts';

export interface Route {
  readonly name: string;
  readonly transports: readonly string[];
  readonly match: { readonly [name: string]: Json };
}

/** What a form has fields for; the rest of a match is JSON. */
const LISTS = ['recipient_domains', 'sender_domains', 'accounts'] as const;

interface RouteFormProps {
  readonly edited: Route | undefined;
  readonly routes: readonly Route[];
  /** Names of the ways there are. */
  readonly transports: readonly string[];
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter((each) => each !== '');
}

function listText(value: Json | undefined): string {
  return Array.isArray(value) ? value.join(', ') : '';
}

/** Which mail takes which ways. */
export function RouteForm({ edited, routes, transports, onClose, onSaved }: RouteFormProps) {
  const t = texts('admin');
  const match = edited?.match ?? {};
  const rest = Object.fromEntries(Object.entries(match).filter(([name]) => !LISTS.includes(name as never)));
  const [name, setName] = useState(edited?.name ?? '');
  const [ways, setWays] = useState(edited?.transports.join(', ') ?? transports[0] ?? '');
  const [lists, setLists] = useState<Readonly<Record<string, string>>>(
    Object.fromEntries(LISTS.map((each) => [each, listText(match[each])])),
  );
  const [more, setMore] = useState(Object.keys(rest).length === 0 ? '' : JSON.stringify(rest));
  const [before, setBefore] = useState('');
  const { busy, problems, save } = useSave();
  const labels = {
    recipient_domains: t('forDomains'),
    sender_domains: t('fromDomains'),
    accounts: t('fromAccounts'),
  };
  const keep = async (): Promise<void> => {
    const done = await save(async () => {
      const given = LISTS.map((each) => [each, words(lists[each] ?? '')] as const);
      const wanted = {
        ...(more.trim() === '' ? {} : typedObject(more)),
        ...Object.fromEntries(given.filter(([, list]) => list.length > 0)),
      };
      await admin('PUT', `/routing/routes/${encodeURIComponent(name.trim())}`, {
        transports: words(ways),
        match: wanted,
        replace: edited !== undefined,
        ...(before !== '' && { before }),
      });
    });
    if (done) onSaved();
  };
  const others = routes.filter((each) => each.name !== edited?.name);
  return (
    <FormDialog
      title={edited?.name ?? t('routeAdd')}
      wide
      busy={busy}
      problems={Object.values(problems)}
      onClose={onClose}
      onSubmit={keep}
    >
      <div class="settings-pair">
        <Text label={t('name')} value={name} required disabled={edited !== undefined} onInput={setName} />
        <Text
          label={t('waysInOrder')}
          hint={t('waysHint', { names: transports.join(', ') })}
          value={ways}
          required
          onInput={setWays}
        />
      </div>
      <p class="soft">{t('routeMatch')}</p>
      {LISTS.map((each) => (
        <Text
          key={each}
          label={labels[each]}
          value={lists[each] ?? ''}
          onInput={(text) => setLists({ ...lists, [each]: text })}
        />
      ))}
      <Text label={t('matchMore')} hint={t('matchMoreHint')} value={more} onInput={setMore} />
      {others.length > 0 && (
        <Select
          label={t('standsBefore')}
          value={before}
          options={[
            ['', edited === undefined ? t('atTheEnd') : t('whereItIs')],
            ...others.map((each) => [each.name, each.name] as const),
          ]}
          onChange={setBefore}
        />
      )}
    </FormDialog>
  );
}
