import type { ComponentChildren } from 'preact';
import { Avatar } from './avatar.tsx';
import { texts } from './i18n.ts';
import { helpShown } from './keyboard.ts';
import { Menu, type MenuItem } from './menu.tsx';
import { navigate } from './router.ts';
import { me, offline, signOut } from './session.ts';
import { dark, setTheme } from './theme.ts';
import './top-bar.css';

interface TopBarProps {
  /** What stands before the name: a button that shows the folders. */
  readonly start?: ComponentChildren;
  /** The middle: a search box. */
  readonly children?: ComponentChildren;
  readonly title?: string;
}

/** The bar above every page: where we are, what can be searched, who we are. */
export function TopBar({ start, children, title }: TopBarProps) {
  const t = texts('base');
  return (
    <header class="top-bar">
      <a class="sr-only top-skip" href="#content">
        {t('skipToContent')}
      </a>
      {start}
      <a class="top-brand" href="/mail" aria-label={`${title ?? 'Postern'}: ${t('mail')}`}>
        <img src="/icon.svg" alt={t('mail')} width="28" height="28" />
        <span class="top-title">{title ?? 'Postern'}</span>
      </a>
      <div class="top-middle">{children}</div>
      {offline.value && (
        <span class="badge warning" title={t('offline')}>
          {t('offlineShort')}
        </span>
      )}
      <AccountMenu />
    </header>
  );
}

function AccountMenu() {
  const t = texts('base');
  const who = me.value;
  if (who === undefined) return null;
  const items: MenuItem[] = [
    { label: t('mail'), icon: 'mail', run: () => navigate('/mail') },
    { label: t('settings'), icon: 'settings', run: () => navigate('/settings') },
  ];
  if (who.role !== 'user')
    items.push({ label: t('administration'), icon: 'server', run: () => navigate('/admin') });
  items.push(
    {
      label: dark.value ? t('light') : t('dark'),
      icon: dark.value ? 'sun' : 'moon',
      line: true,
      run: () => setTheme(dark.value ? 'light' : 'dark'),
    },
    { label: t('shortcuts'), icon: 'help', run: () => (helpShown.value = true) },
    { label: t('signOut'), icon: 'logout', line: true, run: () => void signOut() },
  );
  return (
    <Menu label={t('accountOf', { address: who.address })} items={items} class="top-account">
      <Avatar name={who.displayName} address={who.address} />
    </Menu>
  );
}
