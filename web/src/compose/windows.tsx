import { useEffect, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Failure, Loading } from '../base/states.tsx';
import { createController, type Controller } from './controller.ts';
import './compose.css';
import { lockName } from './local.ts';
import { closeWindow, frontWindow, type OpenWindow, openWindows } from './open.ts';
import { ComposeWindow } from './window.tsx';

/** All windows: side by side at the bottom where there is room, one over the other on a phone. */
export function Windows() {
  useEffect(followKeyboard, []);
  if (openWindows.value.length === 0) return null;
  return (
    <div class="compose-dock">
      {openWindows.value.map((each) => (
        <One key={each.key} window={each} />
      ))}
    </div>
  );
}

function One({ window: { key, wish } }: { readonly window: OpenWindow }) {
  const t = texts('compose');
  const [controller, setController] = useState<Controller | undefined>(undefined);
  const [failed, setFailed] = useState<string | undefined>(undefined);
  const load = (): void => {
    setFailed(undefined);
    createController(key, wish).then(setController, (error: unknown) =>
      setFailed(error instanceof Error ? error.message : String(error)),
    );
  };
  useEffect(() => {
    load();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    // No locks: other tabs do not know that it is open here; their copies are told apart by the server.
    navigator.locks?.request(lockName(key), () => held).catch(() => undefined);
    return () => release();
  }, []);
  if (controller !== undefined)
    return <ComposeWindow controller={controller} isFront={frontWindow.value === key} />;
  return (
    <section class="compose-window" aria-label={t('newMessage')}>
      {failed === undefined ? (
        <Loading />
      ) : (
        <>
          <Failure sentence={failed} onRetry={load} />
          <button type="button" class="button" onClick={() => closeWindow(key)}>
            {texts('base')('close')}
          </button>
        </>
      )}
    </section>
  );
}

/** On a phone the window ends where the keyboard begins. */
function followKeyboard(): (() => void) | undefined {
  const view = window.visualViewport;
  if (view === null) return undefined;
  const fit = (): void => {
    document.documentElement.style.setProperty('--compose-height', `${view.height}px`);
    document.documentElement.style.setProperty('--compose-top', `${view.offsetTop}px`);
  };
  fit();
  view.addEventListener('resize', fit);
  view.addEventListener('scroll', fit);
  return () => {
    view.removeEventListener('resize', fit);
    view.removeEventListener('scroll', fit);
  };
}
