import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { texts } from './i18n.ts';
import { Icon, type IconName } from './icon.tsx';
import { TopBar } from './top-bar.tsx';
import './side-layout.css';

export interface SideLink {
  readonly path: string;
  readonly label: string;
  readonly icon: IconName;
  /** A number or word that asks for attention. */
  readonly badge?: string | undefined;
}

export interface SideGroup {
  readonly label?: string;
  readonly links: readonly SideLink[];
}

interface SideLayoutProps {
  readonly title: string;
  /** Where the list itself is: on a phone it is a page of its own. */
  readonly home: string;
  readonly groups: readonly SideGroup[];
  /** Path of the page that is shown; undefined: the list (phones), the first page (wide screens). */
  readonly current: string | undefined;
  readonly pageTitle: string;
  readonly children: ComponentChildren;
}

/** Pages with a list of all of them at the side: settings, administration. */
export function SideLayout({ title, home, groups, current, pageTitle, children }: SideLayoutProps) {
  const t = texts('base');
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${pageTitle} · Postern`;
    main.current?.scrollTo(0, 0);
  }, [current, pageTitle]);
  return (
    <div class={current === undefined ? 'side side-at-list' : 'side'}>
      <TopBar title={title} />
      <div class="side-body">
        <nav class="side-nav" aria-label={title}>
          {groups.map((group, index) => (
            <div key={group.label ?? index} class="side-group">
              {group.label !== undefined && <h2 class="side-group-name">{group.label}</h2>}
              <ul>
                {group.links.map(({ path, label, icon, badge }) => (
                  <li key={path}>
                    <a class="side-link" href={path} aria-current={path === current ? 'page' : undefined}>
                      <Icon name={icon} />
                      <span class="side-label">{label}</span>
                      {badge !== undefined && <span class="badge warning side-badge">{badge}</span>}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        <main id="content" class="side-main" ref={main} tabIndex={-1}>
          <div class="side-content">
            <a class="side-back" href={home}>
              <Icon name="back" /> {t('back')}
            </a>
            <h1>{pageTitle}</h1>
            {children}
          </div>
        </main>
      </div>
    </div>
  );
}
