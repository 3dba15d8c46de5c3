import type { ComponentChildren } from 'preact';

interface LineFormProps {
  /** What the button says. */
  readonly yes: string;
  readonly busy: boolean;
  readonly primary?: boolean;
  readonly onSubmit: () => unknown;
  readonly children: ComponentChildren;
}

/** Fields side by side, and a button behind them. */
export function LineForm({ yes, busy, primary = false, onSubmit, children }: LineFormProps) {
  return (
    <form
      class="admin-filter"
      onSubmit={(event) => {
        event.preventDefault();
        void onSubmit();
      }}
    >
      {children}
      <button type="submit" class={primary ? 'button primary' : 'button'} disabled={busy}>
        {yes}
      </button>
    </form>
  );
}
