import { forgetContact } from './contacts.ts';
import { putKey, removeKey, trustKey } from './keys.ts';
import { addMasked, changeMasked } from './masked.ts';
import { setAccountSetting } from './settings.ts';
import { snooze, wake, wakeDue } from './snooze.ts';

/** What people keep for themselves; each is for one account, whose owner or administrator the caller has let in. */
export const writes = {
  'account.addMasked': addMasked,
  'account.changeMasked': changeMasked,
  'account.snooze': snooze,
  'account.wake': wake,
  'account.wakeDue': wakeDue,
  'account.putKey': putKey,
  'account.trustKey': trustKey,
  'account.removeKey': removeKey,
  'account.setSetting': setAccountSetting,
  'account.forgetContact': forgetContact,
} as const;
