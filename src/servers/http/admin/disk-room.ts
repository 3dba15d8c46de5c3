import { Refusal } from '../../../base/errors.ts';
import type { AdminContext } from './operation.ts';

/** Mail that is brought in is new mail: it waits at its old place while only the disk's reserve is left here. */
export function requireRoom({ housekeeping }: Pick<AdminContext, 'housekeeping'>): void {
  if (housekeeping?.disk.state()?.low === true)
    throw new Refusal(
      'storage-full',
      'The disk here is nearly full and takes no new mail: make room, then begin again; what is here already is not brought twice.',
    );
}
