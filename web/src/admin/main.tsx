import type { ComponentType } from 'preact';
import { texts } from '../base/i18n.ts';
import type { IconName } from '../base/icon.tsx';
import { route } from '../base/router.ts';
import { me } from '../base/session.ts';
import { Failure } from '../base/states.tsx';
import { type SideGroup, SideLayout } from '../base/side-layout.tsx';
import { Accounts } from './accounts.tsx';
import { Aliases } from './aliases.tsx';
import { Audit } from './audit.tsx';
import { Backups } from './backups.tsx';
import { Bans } from './bans.tsx';
import { Certificates } from './certificates.tsx';
import { Charts } from './charts.tsx';
import { Checks } from './checks.tsx';
import { Domains } from './domains.tsx';
import { Groups } from './groups.tsx';
import { Invitations } from './invitations.tsx';
import { Overview } from './overview.tsx';
import { Queue } from './queue.tsx';
import { Reports } from './reports.tsx';
import { Routes } from './routes.tsx';
import { Ses } from './ses.tsx';
import { Setup } from './setup.tsx';
import { SiteSettings } from './site-settings.tsx';
import { Spam } from './spam.tsx';
import { Trace } from './trace.tsx';
import { Vault } from './vault.tsx';
import './admin.css';
import '../settings/settings.css';

interface Page {
  readonly name: string;
  readonly title: Parameters<ReturnType<typeof texts<'admin'>>>[0];
  readonly icon: IconName;
  readonly Content: ComponentType;
  /** Also for those who look after some domains only. */
  readonly domains?: true;
}

const GROUPS: readonly { readonly title: Page['title']; readonly pages: readonly Page[] }[] = [
  {
    title: 'groupServer',
    pages: [
      { name: 'overview', title: 'overview', icon: 'info', Content: Overview, domains: true },
      { name: 'setup', title: 'setup', icon: 'check', Content: Setup },
      { name: 'charts', title: 'charts', icon: 'chart', Content: Charts },
      { name: 'checks', title: 'checks', icon: 'shield', Content: Checks, domains: true },
    ],
  },
  {
    title: 'groupPeople',
    pages: [
      { name: 'domains', title: 'domains', icon: 'globe', Content: Domains, domains: true },
      { name: 'accounts', title: 'accounts', icon: 'user', Content: Accounts, domains: true },
      { name: 'aliases', title: 'aliases', icon: 'forward', Content: Aliases, domains: true },
      { name: 'groups', title: 'groups', icon: 'users', Content: Groups, domains: true },
      { name: 'invitations', title: 'invitations', icon: 'mail-open', Content: Invitations, domains: true },
    ],
  },
  {
    title: 'groupMail',
    pages: [
      { name: 'trace', title: 'trace', icon: 'search', Content: Trace, domains: true },
      { name: 'queue', title: 'queue', icon: 'queue', Content: Queue },
      { name: 'vault', title: 'vault', icon: 'junk', Content: Vault, domains: true },
      { name: 'spam', title: 'spam', icon: 'filter', Content: Spam },
      { name: 'routes', title: 'routes', icon: 'send', Content: Routes },
      { name: 'ses', title: 'ses', icon: 'server', Content: Ses },
      { name: 'reports', title: 'reports', icon: 'list', Content: Reports },
    ],
  },
  {
    title: 'groupKeeping',
    pages: [
      { name: 'certificates', title: 'certificates', icon: 'lock', Content: Certificates },
      { name: 'backups', title: 'backups', icon: 'archive', Content: Backups },
      { name: 'bans', title: 'bans', icon: 'ban', Content: Bans },
      { name: 'audit', title: 'audit', icon: 'clock', Content: Audit },
      { name: 'settings', title: 'siteSettings', icon: 'settings', Content: SiteSettings },
    ],
  },
];

export default function Administration() {
  const t = texts('admin');
  const role = me.value?.role ?? 'user';
  if (role === 'user') return <Failure sentence={t('notForYou')} />;
  const may = (page: Page): boolean => role === 'admin' || page.domains === true;
  const pages = GROUPS.flatMap(({ pages: all }) => all).filter(may);
  const asked = route.value.parts[1];
  const found = pages.find(({ name }) => name === asked) ?? pages[0];
  if (found === undefined) return null;
  const groups = GROUPS.map(({ title, pages: all }): SideGroup => {
    const links = all
      .filter(may)
      .map(({ name, title: page, icon }) => ({ path: `/admin/${name}`, label: t(page), icon }));
    return { label: t(title), links };
  }).filter(({ links }) => links.length > 0);
  return (
    <SideLayout
      title={t('title')}
      home="/admin"
      groups={groups}
      current={asked === undefined ? undefined : `/admin/${found.name}`}
      pageTitle={t(found.title)}
    >
      <found.Content key={found.name} />
    </SideLayout>
  );
}
