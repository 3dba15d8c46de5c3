import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { texts } from '../../base/i18n.ts';
import { toast } from '../../base/toast.tsx';
import { closeDialog, dialog, type MailDialog } from './open.ts';

type Shown = ComponentType<{ readonly ask: never }>;

/** Dialogs are fetched when the first of them is opened. */
const LOADS: Readonly<Record<MailDialog['kind'], () => Promise<Shown>>> = {
  move: async () => (await import('./move.tsx')).MoveDialog as Shown,
  label: async () => (await import('./label.tsx')).LabelDialog as Shown,
  snooze: async () => (await import('./snooze.tsx')).SnoozeDialog as Shown,
  why: async () => (await import('./why.tsx')).WhyDialog as Shown,
  source: async () => (await import('./source.tsx')).SourceDialog as Shown,
  'mailbox-new': async () => (await import('./mailbox.tsx')).NewMailbox as Shown,
  'mailbox-rename': async () => (await import('./mailbox.tsx')).RenameMailbox as Shown,
  'mailbox-delete': async () => (await import('./mailbox.tsx')).DeleteMailbox as Shown,
  'save-search': async () => (await import('./mailbox.tsx')).SaveSearch as Shown,
};

export function MailDialogs() {
  const ask = dialog.value;
  const [found, setFound] = useState<{ kind: string; Shown: Shown } | undefined>(undefined);
  useEffect(() => {
    if (ask === undefined || found?.kind === ask.kind) return;
    LOADS[ask.kind]().then(
      (Shown) => setFound({ kind: ask.kind, Shown }),
      () => {
        closeDialog();
        toast(texts('base')('serverUnreachable'), { bad: true });
      },
    );
  }, [ask?.kind]);
  if (ask === undefined || found?.kind !== ask.kind) return null;
  return <found.Shown ask={ask as never} />;
}
