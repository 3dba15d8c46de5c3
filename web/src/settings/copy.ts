import { texts } from '../base/i18n.ts';
import { toast, toastError } from '../base/toast.tsx';

/** Put a text on the clipboard and say so. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(texts('base')('copied'), { ms: 2000 });
  } catch (error) {
    toastError(error);
  }
}
