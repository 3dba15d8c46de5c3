import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import type { IconName } from '../base/icon.tsx';
import { loadPreferences } from '../base/preferences.ts';
import { route } from '../base/router.ts';
import { type SideGroup, SideLayout } from '../base/side-layout.tsx';
import { Deleted } from './deleted.tsx';
import { Forward } from './forward.tsx';
import { General } from './general.tsx';
import { Identities } from './identities.tsx';
import { Keys } from './keys.tsx';
import { Labels } from './labels.tsx';
import { Masked } from './masked.tsx';
import { Programs } from './programs.tsx';
import { Refused } from './refused.tsx';
import { Rules } from './rules.tsx';
import { Scripts } from './scripts.tsx';
import { Security } from './security.tsx';
import { Senders } from './senders.tsx';
import { Vacation } from './vacation.tsx';
import './settings.css';

interface Page {
  readonly name: string;
  readonly title: Parameters<ReturnType<typeof texts<'settings'>>>[0];
  readonly icon: IconName;
  readonly Content: ComponentType;
}

/** The pages, in groups, in the order of the list at the side. */
const GROUPS: readonly { readonly title: Page['title']; readonly pages: readonly Page[] }[] = [
  {
    title: 'groupYou',
    pages: [
      { name: 'general', title: 'general', icon: 'settings', Content: General },
      { name: 'identities', title: 'identities', icon: 'user', Content: Identities },
      { name: 'security', title: 'security', icon: 'shield', Content: Security },
      { name: 'programs', title: 'programs', icon: 'phone', Content: Programs },
    ],
  },
  {
    title: 'groupIncoming',
    pages: [
      { name: 'vacation', title: 'vacation', icon: 'sun', Content: Vacation },
      { name: 'rules', title: 'rules', icon: 'filter', Content: Rules },
      { name: 'forward', title: 'forward', icon: 'forward', Content: Forward },
      { name: 'scripts', title: 'scripts', icon: 'code', Content: Scripts },
      { name: 'labels', title: 'labels', icon: 'tag', Content: Labels },
      { name: 'senders', title: 'senders', icon: 'users', Content: Senders },
      { name: 'masked', title: 'masked', icon: 'mask', Content: Masked },
      { name: 'keys', title: 'keys', icon: 'key', Content: Keys },
    ],
  },
  {
    title: 'groupKept',
    pages: [
      { name: 'deleted', title: 'deleted', icon: 'undo', Content: Deleted },
      { name: 'refused', title: 'refused', icon: 'junk', Content: Refused },
    ],
  },
];

const PAGES = GROUPS.flatMap(({ pages }) => pages);

export default function Settings() {
  const t = texts('settings');
  useEffect(() => void loadPreferences(), []);
  const asked = route.value.parts[1];
  const found = PAGES.find(({ name }) => name === asked) ?? PAGES[0];
  if (found === undefined) return null;
  const groups = GROUPS.map(({ title, pages }): SideGroup => {
    const links = pages.map(({ name, title: page, icon }) => ({
      path: `/settings/${name}`,
      label: t(page),
      icon,
    }));
    return { label: t(title), links };
  });
  return (
    <SideLayout
      title={t('title')}
      home="/settings"
      groups={groups}
      current={asked === undefined ? undefined : `/settings/${found.name}`}
      pageTitle={t(found.title)}
    >
      <found.Content key={found.name} />
    </SideLayout>
  );
}
