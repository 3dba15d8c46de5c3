import { signal } from '@preact/signals';

/** Installing the page as an app, where the browser offers it; and opening mailto: links with it. */

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

let prompt: InstallPrompt | undefined;
/** The browser would install it now. */
export const installable = signal(false);

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  prompt = event as InstallPrompt;
  installable.value = true;
});
addEventListener('appinstalled', () => (installable.value = false));

export async function install(): Promise<void> {
  await prompt?.prompt();
  installable.value = false;
}

export function mailtoSupported(): boolean {
  return typeof navigator.registerProtocolHandler === 'function' && isSecureContext;
}

/** Ask the browser to open mailto: links here; it asks the person. */
export function registerMailto(): void {
  navigator.registerProtocolHandler('mailto', `${location.origin}/mail?mailto=%s`);
}
