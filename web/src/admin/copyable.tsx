import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { copyText } from '../settings/copy.ts';

/** A command or a record as it is to be typed, with a button that copies it. */
export function Copyable({ text, label = text }: { readonly text: string; readonly label?: string }) {
  const base = texts('base');
  return (
    <div class="admin-copy">
      <code>{text}</code>
      <button
        type="button"
        class="icon-button"
        aria-label={`${base('copy')}: ${label}`}
        onClick={() => void copyText(text)}
      >
        <Icon name="copy" />
      </button>
    </div>
  );
}
