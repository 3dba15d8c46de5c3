import { Dialog } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { helpShown, shortcuts } from '../base/keyboard.ts';

/** The keys that work now, each thing once. */
export function ShortcutsHelp() {
  const t = texts('base');
  const all = new Map<string, string[]>();
  for (const { keys, label } of shortcuts.value) all.set(label, [...(all.get(label) ?? []), keys]);
  return (
    <Dialog title={t('shortcuts')} wide onClose={() => (helpShown.value = false)}>
      <dl class="mail-keys">
        {[...all].map(([label, keys]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {keys.map((each) => (
                <span key={each}>
                  {each.split(' ').map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}{' '}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
