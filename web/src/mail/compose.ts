import { loadTexts } from '../base/i18n.ts';
import { toastError } from '../base/toast.tsx';
import { type ComposeWish, openCompose } from '../compose/open.ts';

/** Open the composer, once its texts are here. */
export function openComposer(wish: ComposeWish): void {
  void loadTexts('compose').then(() => openCompose(wish), toastError);
}
