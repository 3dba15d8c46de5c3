import { long } from '../catalogue.ts';
import { known } from './importing.ts';

export const reads = {
  'importing.known': long(known),
} as const;
