import { Icon } from '../base/icon.tsx';

interface TrashButtonProps {
  /** What it does, and to what: it has a picture only. */
  readonly label: string;
  readonly busy: boolean;
  readonly title?: string | undefined;
  readonly onClick: () => void;
}

/** Removes a line of a list. */
export function TrashButton({ label, busy, title, onClick }: TrashButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      disabled={busy}
      title={title}
      aria-label={label}
      onClick={onClick}
    >
      <Icon name="trash" />
    </button>
  );
}
