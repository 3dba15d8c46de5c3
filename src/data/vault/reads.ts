import { long, point } from '../catalogue.ts';
import { get, list } from './look.ts';

export const reads = {
  'vault.list': long(list),
  'vault.get': point(get),
} as const;
