import { signal } from '@preact/signals';
import type { Id, Mailbox } from '../../jmap/types.ts';

/** What is asked of a person right now. */
export type MailDialog =
  | { readonly kind: 'move' | 'label' | 'snooze'; readonly rows: readonly Id[] }
  | { readonly kind: 'why' | 'source'; readonly emailId: Id }
  | { readonly kind: 'mailbox-new'; readonly accountId?: Id; readonly parent?: Mailbox }
  | { readonly kind: 'mailbox-rename' | 'mailbox-delete'; readonly accountId: Id; readonly mailbox: Mailbox }
  | { readonly kind: 'save-search'; readonly q: string };

export const dialog = signal<MailDialog | undefined>(undefined);

export function openDialog(wanted: MailDialog): void {
  dialog.value = wanted;
}

export function closeDialog(): void {
  dialog.value = undefined;
}
