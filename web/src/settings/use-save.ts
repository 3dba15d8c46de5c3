import { useState } from 'preact/hooks';
import { ApiError } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { sessionEnded } from '../base/session.ts';
import { toast, toastError } from '../base/toast.tsx';

export interface Saving {
  readonly busy: boolean;
  /** What the server says is wrong, by the field it is about; '' for none in particular. */
  readonly problems: Readonly<Record<string, string>>;
  /** Run it, say that it is saved or what is wrong; true when it went well. */
  readonly save: (run: () => Promise<unknown>, said?: string) => Promise<boolean>;
}

/** What every form does when it is sent. */
export function useSave(): Saving {
  const t = texts('base');
  const [busy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  return {
    busy,
    problems,
    async save(run, said = t('saved')) {
      setBusy(true);
      setProblems({});
      try {
        await run();
        if (said !== '') toast(said);
        return true;
      } catch (error) {
        const known = error instanceof ApiError;
        // A note would be behind the dialog whose form this is: the form says it as well.
        if (known) setProblems({ [error.field ?? '']: error.message });
        // Who is asked to sign in anew is told why there.
        const ended = known && error.status === 401 && sessionEnded.value;
        if (!ended && (!known || error.kind !== 'bad-input')) toastError(error);
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}
