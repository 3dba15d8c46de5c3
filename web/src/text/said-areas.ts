import type { Areas } from './areas.ts';

/** Areas of the server's sentences (text/said.ts fetches them when one is first shown). */
export const AREAS = [
  'why',
  'rules',
  'events',
  'remedies',
  'advice',
  'problems',
  'setup',
  'checks',
  'health',
  'audit',
  'ways',
  'settingsAbout',
] as const satisfies readonly (keyof Areas)[];
export type SaidArea = (typeof AREAS)[number];
