import type { WriteFunction } from '../catalogue.ts';
import { addPiece, beginUpload, putObject, removeUpload } from './objects.ts';
import { addEmail, setEmails } from './set-emails.ts';
import { setMailbox, setMailboxesTogether } from './set-mailboxes.ts';
import { noteReport } from './submissions.ts';

type W<F> = F extends (tx: never, args: infer A) => Promise<infer R> ? WriteFunction<A, R> : never;

export const writes = {
  /** Keywords and mailboxes of emails, and their end, as Email/set has it. */
  'jmap.setEmails': setEmails as W<typeof setEmails>,
  'jmap.addEmail': addEmail as W<typeof addEmail>,
  /** One creation, change or deletion of Mailbox/set. */
  'jmap.setMailbox': setMailbox as W<typeof setMailbox>,
  /** Changes that wait for each other, all or none. Refusal 'conflict'. */
  'jmap.setMailboxesTogether': setMailboxesTogether as W<typeof setMailboxesTogether>,
  /** An identity or a submission. */
  'jmap.putObject': putObject as W<typeof putObject>,
  /** A notification that came for a submission. False: for none that is known. */
  'jmap.noteReport': noteReport as W<typeof noteReport>,
  'jmap.beginUpload': beginUpload as W<typeof beginUpload>,
  'jmap.addPiece': addPiece as W<typeof addPiece>,
  'jmap.removeUpload': removeUpload as W<typeof removeUpload>,
} as const;
