import { useState } from 'preact/hooks';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

interface Label {
  readonly keyword: string;
  readonly name: string;
  readonly colour: string;
}

/** Colours of labels: readable on light and dark grounds. */
const COLOURS = [
  '#1f6f5c',
  '#1d5f96',
  '#7a4fb0',
  '#9c2f5f',
  '#b3261e',
  '#a8480f',
  '#8a5300',
  '#4c6b1a',
  '#5b574f',
] as const;

/** The IMAP keyword of a new label: what other programs show. */
function keywordOf(name: string, taken: ReadonlySet<string>): string {
  const plain =
    name
      .normalize('NFKD')
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, 40) || 'label';
  let keyword = plain;
  for (let number = 2; taken.has(keyword.toLowerCase()); number++) keyword = `${plain}_${number}`;
  return keyword;
}

export function Labels() {
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(
    (signal) => api<{ labels: readonly Label[] }>('GET', '/account/v1/labels', undefined, { signal }),
    [],
  );
  const [name, setName] = useState('');
  const { busy, problems, save } = useSave();
  const put = (labels: readonly Label[]): Promise<boolean> =>
    save(async () => {
      await api('PUT', '/account/v1/labels', { labels });
      remote.set({ labels });
    });
  return (
    <RemoteView remote={remote}>
      {({ labels }) => {
        const change = (keyword: string, some: Partial<Label>): void =>
          void put(labels.map((each) => (each.keyword === keyword ? { ...each, ...some } : each)));
        return (
          <>
            <p class="soft">{t('labelsAbout')}</p>
            <form
              class="row"
              onSubmit={(event) => {
                event.preventDefault();
                const taken = new Set(labels.map(({ keyword }) => keyword.toLowerCase()));
                const colour = COLOURS[labels.length % COLOURS.length] ?? COLOURS[0];
                void put([...labels, { keyword: keywordOf(name, taken), name: name.trim(), colour }]).then(
                  (done) => done && setName(''),
                );
              }}
            >
              <Text
                label={t('labelNew')}
                problem={Object.values(problems)[0]}
                required
                maxLength={60}
                value={name}
                onInput={setName}
              />
              <button type="submit" class="button primary" disabled={busy}>
                {base('add')}
              </button>
            </form>
            {labels.length === 0 && <p class="soft">{t('labelsNone')}</p>}
            {labels.length > 0 && (
              <ul class="settings-list">
                {labels.map(({ keyword, name: label, colour }) => (
                  <li key={keyword} class="settings-item">
                    <input
                      type="color"
                      aria-label={t('labelColour', { name: label })}
                      value={colour}
                      onChange={(event) => change(keyword, { colour: event.currentTarget.value })}
                    />
                    <div class="settings-item-main">
                      <input
                        class="input"
                        aria-label={t('labelName')}
                        value={label}
                        onChange={(event) =>
                          change(keyword, { name: event.currentTarget.value.trim() || label })
                        }
                      />
                      <div class="soft small mono">{keyword}</div>
                    </div>
                    <button
                      type="button"
                      class="icon-button"
                      aria-label={`${base('remove')}: ${label}`}
                      disabled={busy}
                      onClick={() => void put(labels.filter((each) => each.keyword !== keyword))}
                    >
                      <Icon name="trash" />
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </>
        );
      }}
    </RemoteView>
  );
}
