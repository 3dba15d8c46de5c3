import { contacts } from './contacts.ts';
import { deleted } from './deleted.ts';
import { explaining } from './explain.ts';
import { images } from './image.ts';
import { keys } from './keys.ts';
import { masks } from './masked.ts';
import { settings } from './preferences.ts';
import { refused } from './refused.ts';
import { sieve } from './rules.ts';
import { search } from './suggest.ts';
import { senders } from './senders.ts';
import { smime } from './smime.ts';
import { snooze } from './snooze.ts';
import { lists } from './unsubscribe.ts';

/** Every operation of people on their own account, by area. */
export const accountOperations = {
  explaining,
  senders,
  deleted,
  refused,
  masks,
  contacts,
  snooze,
  images,
  lists,
  sieve,
  settings,
  search,
  keys,
  smime,
} as const;
