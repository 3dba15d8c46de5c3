import { useRef, useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { formatSoon } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { Menu, type MenuItem } from '../base/menu.tsx';
import type { BodyHandle } from './body.tsx';
import type { Controller } from './controller.ts';
import { mostHoldSeconds } from './server.ts';
import { daysOf, fromLocalInput, type Preset, presets, timeProblem, toLocalInput } from './times.ts';

interface SendButtonsProps {
  readonly controller: Controller;
  readonly body: { current: BodyHandle | null };
  readonly onSend: (sendAt?: number) => Promise<void>;
  readonly onDiscard: () => void;
}

const PRESETS = {
  'later-today': 'laterToday',
  'this-evening': 'thisEvening',
  'tomorrow-morning': 'tomorrowMorning',
  'tomorrow-afternoon': 'tomorrowAfternoon',
  'monday-morning': 'mondayMorning',
} as const satisfies Record<Preset, string>;

export function SendButtons({ controller, body, onSend, onDiscard }: SendButtonsProps) {
  const t = texts('compose');
  const [choosing, setChoosing] = useState(false);
  const files = useRef<HTMLInputElement>(null);
  const images = useRef<HTMLInputElement>(null);
  const busy = controller.sending.value;
  const later: MenuItem[] = presets(Date.now()).map(([preset, at]) => ({
    label: `${t(PRESETS[preset])} – ${formatSoon(at)}`,
    icon: 'clock',
    run: () => void onSend(at),
  }));
  const take = (input: HTMLInputElement, use: (chosen: File[]) => void): void => {
    const chosen = [...(input.files ?? [])];
    input.value = '';
    if (chosen.length > 0) use(chosen);
  };
  return (
    <div class="compose-foot">
      <span class="compose-send">
        <button type="button" class="button primary" disabled={busy} onClick={() => void onSend()}>
          <Icon name="send" />
          {busy ? t('sendingNow') : t('send')}
        </button>
        {mostHoldSeconds() > 0 && (
          <Menu
            label={t('sendLater')}
            class="button primary compose-later"
            items={[
              ...later,
              { label: t('chooseTime'), icon: 'calendar', line: true, run: () => setChoosing(true) },
            ]}
          >
            <Icon name="clock" />
          </Menu>
        )}
      </span>
      <button
        type="button"
        class="icon-button"
        aria-label={t('attach')}
        title={t('attach')}
        onClick={() => files.current?.click()}
      >
        <Icon name="attach" />
      </button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        onChange={(event) => take(event.currentTarget, (chosen) => controller.attach(chosen))}
      />
      {controller.draft.value.format === 'rich' && (
        <>
          <button
            type="button"
            class="icon-button"
            aria-label={t('insertImage')}
            title={t('insertImage')}
            onClick={() => images.current?.click()}
          >
            <Icon name="image" />
          </button>
          <input
            ref={images}
            type="file"
            multiple
            hidden
            accept="image/png,image/jpeg,image/gif,image/webp"
            onChange={(event) => take(event.currentTarget, (chosen) => body.current?.addImages(chosen))}
          />
        </>
      )}
      <span class="compose-gap" />
      <button
        type="button"
        class="icon-button"
        aria-label={t('discard')}
        title={t('discard')}
        onClick={onDiscard}
      >
        <Icon name="trash" />
      </button>
      {choosing && (
        <TimeDialog
          onClose={() => setChoosing(false)}
          onChosen={(at) => {
            setChoosing(false);
            void onSend(at);
          }}
        />
      )}
    </div>
  );
}

function TimeDialog({
  onClose,
  onChosen,
}: {
  readonly onClose: () => void;
  readonly onChosen: (at: number) => void;
}) {
  const t = texts('compose');
  const tomorrow = presets(Date.now()).find(([preset]) => preset === 'tomorrow-morning')?.[1] ?? Date.now();
  const [text, setText] = useState(() => toLocalInput(tomorrow));
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return (
    <Dialog title={t('sendLater')} onClose={onClose}>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const at = fromLocalInput(text);
          const most = mostHoldSeconds();
          const wrong = timeProblem(at, Date.now(), most);
          if (wrong !== undefined)
            setProblem(wrong === 'past' ? t('timePast') : t('timeFar', { days: daysOf(most) }));
          else if (at !== undefined) onChosen(at);
        }}
      >
        <Field label={t('sendAt')} hint={t('timeZone', { zone: timeZone })} problem={problem}>
          {(attributes) => (
            <input
              {...attributes}
              type="datetime-local"
              min={toLocalInput(Date.now())}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {texts('base')('cancel')}
          </button>
          <button type="submit" class="button primary">
            {t('sendLater')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
