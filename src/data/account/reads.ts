import { long, point, single } from '../catalogue.ts';
import { contacts } from './contacts.ts';
import { deletedEmails, ownEmail, wayBack } from './emails.ts';
import { correspondentKey, correspondentKeys } from './keys.ts';
import { listMasked, maskedOwner } from './masked.ts';
import { accountSetting } from './settings.ts';
import { anyDue, snoozed } from './snooze.ts';

/** What people keep for themselves. */
export const reads = {
  'account.masked': long(listMasked),
  'account.maskedOwner': point(maskedOwner),
  'account.snoozed': point(snoozed),
  'account.anyDue': single(anyDue),
  'account.keys': long(correspondentKeys),
  'account.key': single(correspondentKey),
  'account.setting': single(accountSetting),
  'account.contacts': long(contacts),
  'account.email': point(ownEmail),
  'account.deleted': long(deletedEmails),
  'account.wayBack': point(wayBack),
} as const;
