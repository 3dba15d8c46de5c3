import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { openDirectoryPlace } from './directory-place.ts';
import type { Place, PlaceSettings } from './place.ts';
import { openBucketPlace } from './bucket-place.ts';

/** Open the place that settings name. `make`: a directory may be made. Refusal when it cannot be used. */
export async function openPlace(
  settings: PlaceSettings,
  { clock, make = false }: { readonly clock: Clock; readonly make?: boolean },
): Promise<Place> {
  const { target } = settings;
  if (target === '')
    throw new Refusal('bad-input', 'No place for backups is set ("postern backup set target ...").');
  if (target.startsWith('s3://')) return openBucketPlace(settings, clock);
  if (!target.startsWith('/'))
    throw new Refusal('bad-input', `${target} is no path from / on, and no s3://BUCKET/PREFIX.`);
  return openDirectoryPlace(target, make);
}
