import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const KEPT = 'postern.theme';

export const theme = signal<Theme>('auto');
/** Whether it is dark now, whatever decided that. */
export const dark = signal(false);

export function setTheme(wanted: Theme): void {
  localStorage.setItem(KEPT, wanted);
  theme.value = wanted;
  show();
}

const system = matchMedia('(prefers-color-scheme: dark)');

function show(): void {
  dark.value = theme.value === 'dark' || (theme.value === 'auto' && system.matches);
  document.documentElement.dataset['theme'] = dark.value ? 'dark' : 'light';
}

export function startTheme(): void {
  const kept = localStorage.getItem(KEPT);
  theme.value = kept === 'light' || kept === 'dark' ? kept : 'auto';
  system.addEventListener('change', show);
  show();
}
