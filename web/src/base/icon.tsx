/** Icons: strokes on a 24 by 24 ground. */
const ICONS = {
  more: '<circle cx="5" cy="12" r="1.6" fill="currentColor" stroke="none"/><circle cx="12" cy="12" r="1.6" fill="currentColor" stroke="none"/><circle cx="19" cy="12" r="1.6" fill="currentColor" stroke="none"/>',
  close: '<path d="M6 6l12 12M18 6L6 18"/>',
  check: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
  inbox: '<path d="M4 13l2.5-8h11L20 13v6H4zM4 13h5l1 2.5h4l1-2.5h5"/>',
  send: '<path d="M4 12l16-8-6 16-3-6.5z"/>',
  drafts: '<path d="M5 19l1-4L16.5 4.5l3 3L9 18z"/>',
  junk: '<path d="M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16.2v.1"/>',
  trash: '<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5"/>',
  archive: '<path d="M4 5h16v4H4zM5.5 9v10h13V9M10 13h4"/>',
  folder: '<path d="M3.5 6h6l2 2.5h9V19h-17z"/>',
  star: '<path d="M12 4l2.4 5.2 5.6.7-4.1 3.9 1.1 5.6-5-2.8-5 2.8 1.1-5.6L4 9.900l5.600-.7z"/>',
  reply: '<path d="M10 6L4 12l6 6M4 12h9a7 7 0 0 1 7 6"/>',
  'reply-all': '<path d="M12 6l-6 6 6 6M7 6l-5 6 5 6M6 12h8a7 7 0 0 1 7 6"/>',
  forward: '<path d="M14 6l6 6-6 6M20 12h-9a7 7 0 0 0-7 6"/>',
  attach:
    '<path d="M19 11l-7.500 7.500a4.500 4.500 0 0 1-6.400-6.400L13 4.300a3 3 0 0 1 4.300 4.300l-7.800 7.700a1.500 1.500 0 0 1-2.100-2.100L14 7.700"/>',
  search: '<circle cx="11" cy="11" r="6"/><path d="M15.500 15.500L20 20"/>',
  menu: '<path d="M4 7h16M4 12h16M4 17h16"/>',
  settings:
    '<circle cx="12" cy="12" r="3"/><path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.100 2.100M16.300 16.300l2.100 2.100M18.400 5.600l-2.100 2.100M7.700 16.300l-2.100 2.100"/>',
  user: '<circle cx="12" cy="8" r="4"/><path d="M4.500 20a7.500 7.500 0 0 1 15 0"/>',
  users:
    '<circle cx="9" cy="8.500" r="3.500"/><path d="M2.500 19a6.500 6.500 0 0 1 13 0M15.500 5.300a3.500 3.500 0 0 1 0 6.400M18 14a6.500 6.500 0 0 1 3.500 5"/>',
  shield: '<path d="M12 3l8 3v6c0 4.500-3.200 7.800-8 9-4.800-1.200-8-4.500-8-9V6z"/>',
  clock: '<circle cx="12" cy="12" r="8.500"/><path d="M12 7v5l3.500 2"/>',
  tag: '<path d="M4 4h8l8.500 8.500-8 8L4 12z"/><circle cx="8" cy="8" r="1.200"/>',
  filter: '<path d="M4 5h16l-6.500 8v6l-3-2v-4z"/>',
  print: '<path d="M7 8V4h10v4M7 17H4V8h16v9h-3M7 14h10v6H7z"/>',
  download: '<path d="M12 4v11M7 10.500l5 5 5-5M5 20h14"/>',
  upload: '<path d="M12 16V5M7 9.500l5-5 5 5M5 20h14"/>',
  eye: '<path d="M2.500 12s3.500-6.500 9.500-6.500S21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12z"/><circle cx="12" cy="12" r="2.800"/>',
  'eye-off':
    '<path d="M4 4l16 16M9.500 6A9 9 0 0 1 12 5.500c6 0 9.500 6.500 9.500 6.500a17 17 0 0 1-3 3.700M6 8a17 17 0 0 0-3.500 4s3.500 6.500 9.500 6.500a9 9 0 0 0 4-.9"/>',
  image: '<path d="M4 5h16v14H4zM4 16l5-5 4 4 3-2.500 4 3.500"/><circle cx="15.500" cy="9" r="1.300"/>',
  link: '<path d="M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500"/>',
  back: '<path d="M14.500 5L8 12l6.500 7"/>',
  next: '<path d="M9.500 5L16 12l-6.500 7"/>',
  down: '<path d="M6 9.500l6 6 6-6"/>',
  up: '<path d="M6 14.500l6-6 6 6"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  minus: '<path d="M5 12h14"/>',
  info: '<circle cx="12" cy="12" r="8.500"/><path d="M12 11v5.500M12 7.800v.1"/>',
  warning: '<path d="M12 4l9 16H3zM12 10v4.500M12 17.200v.1"/>',
  lock: '<path d="M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3"/>',
  key: '<circle cx="8" cy="12" r="4"/><path d="M12 12h9v3.500M17.500 12v3"/>',
  refresh: '<path d="M19.500 12a7.500 7.500 0 1 1-2.300-5.400L20 9M20 4v5h-5"/>',
  undo: '<path d="M9 7L4.500 11.500 9 16M4.500 11.500H14a5.500 5.500 0 0 1 0 8h-3"/>',
  mail: '<path d="M3.500 6h17v12h-17zM3.500 7l8.500 6.500L20.500 7"/>',
  'mail-open': '<path d="M3.500 10l8.500-6 8.500 6v9h-17zM3.500 10.500l8.500 5.500 8.500-5.500"/>',
  calendar: '<path d="M4 6h16v14H4zM4 10.500h16M8.500 3.500V7M15.500 3.500V7"/>',
  globe:
    '<circle cx="12" cy="12" r="8.500"/><path d="M3.500 12h17M12 3.500c3 3 3 14 0 17M12 3.500c-3 3-3 14 0 17"/>',
  server: '<path d="M4 5h16v6H4zM4 13h16v6H4zM7.500 8v.1M7.500 16v.1"/>',
  chart: '<path d="M4 20V4M4 20h16M8.500 16v-5M13 16V7M17.500 16v-3"/>',
  queue: '<path d="M4 6h16M4 12h16M4 18h9"/>',
  ban: '<circle cx="12" cy="12" r="8.500"/><path d="M6 6l12 12"/>',
  list: '<path d="M9 6h11M9 12h11M9 18h11M4.500 6v.1M4.500 12v.1M4.500 18v.1"/>',
  code: '<path d="M8.500 7L3.500 12l5 5M15.500 7l5 5-5 5"/>',
  bell: '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.500 1.500h-15zM10 20.500h4"/>',
  mask: '<path d="M3 8c3-1.500 6-1.500 9 0 3-1.500 6-1.500 9 0 0 6-2.500 9-5 9-2 0-3-2-4-3-1 1-2 3-4 3-2.500 0-5-3-5-9zM7 11.200h2.500M14.500 11.200H17"/>',
  sun: '<circle cx="12" cy="12" r="4"/><path d="M12 2.500v2.500M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300L7 7M17 17l1.700 1.700M18.700 5.300L17 7M7 17l-1.700 1.700"/>',
  moon: '<path d="M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z"/>',
  help: '<circle cx="12" cy="12" r="8.500"/><path d="M9.500 9.500a2.500 2.500 0 1 1 3.500 2.300c-.8.400-1 .9-1 1.700M12 16.500v.1"/>',
  play: '<path d="M8 5l11 7-11 7z"/>',
  pause: '<path d="M8 5v14M16 5v14"/>',
  external: '<path d="M13.500 4.500H19.500V10.500M19.500 4.500L11 13M17 14v5.500H4.500V7H10"/>',
  bold: '<path d="M7.500 5h5.500a3.500 3.500 0 0 1 0 7H7.500zM7.500 12h6.500a3.500 3.500 0 0 1 0 7H7.500z"/>',
  italic: '<path d="M14 5h-4M14 19h-4M13 5l-3 14" />',
  underline: '<path d="M7 4.500V11a5 5 0 0 0 10 0V4.500M6 20h12"/>',
  quote: '<path d="M5 7h5v5.500c0 2.500-1.500 4-4 4.500M14 7h5v5.500c0 2.500-1.500 4-4 4.500"/>',
  'list-numbers':
    '<path d="M10 6h10M10 12h10M10 18h10M4 5l1.500-.8V8M4 12.500c.5-1.500 2.500-1 2 .3L4 15.500h2.500"/>',
  logout: '<path d="M10 4H5v16h5M15 8l4 4-4 4M19 12H9.500"/>',
  copy: '<path d="M9 9h11v11H9zM5.500 15H4V4h11v1.500"/>',
  phone: '<path d="M7.500 3h9v18h-9zM11 18h2"/>',
} as const;

export type IconName = keyof typeof ICONS;

/** Those that point somewhere and turn with the direction of the text. */
const DIRECTIONAL: ReadonlySet<IconName> = new Set<IconName>([
  'reply',
  'reply-all',
  'forward',
  'back',
  'next',
  'undo',
  'send',
  'logout',
  'external',
]);

/** Decoration: what it means is said by the text or label beside it. */
export function Icon({ name, filled = false }: { readonly name: IconName; readonly filled?: boolean }) {
  return (
    <svg
      class={DIRECTIONAL.has(name) ? 'icon directional' : 'icon'}
      viewBox="0 0 24 24"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: ICONS[name] }}
    />
  );
}
