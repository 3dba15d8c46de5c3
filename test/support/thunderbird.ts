import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { stopTree, until } from '../../bench/support/processes.ts';
import { cleanEnvironment } from './programs.ts';

/** Thunderbird on a screen that nobody sees, driven by Marionette, its own remote control. */

/** It starts slowly on a busy machine. */
const START_MS = 90_000;
const SCRIPT_MS = 60_000;
const POLL_MS = 250;

export interface Thunderbird {
  /** "140.4.0" */
  readonly version: string;
  /** X11 display, ":99". */
  readonly display: string;
  /** Run the body of an async function in the program itself; `args` are its `args`. Throws what it throws. */
  script(body: string, ...args: readonly unknown[]): Promise<unknown>;
  /** The main window as PNG. */
  screenshot(): Promise<Buffer>;
  close(): Promise<void>;
}

export interface ThunderbirdOptions {
  /** A directory of the test; the profile and the home are made in it. */
  readonly home: string;
  readonly imapPort: number;
  readonly smtpPort: number;
  readonly address: string;
  /** More preferences, as in prefs.js. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
}

/** Start it with one IMAP account (TLS from the first byte on 127.0.0.1) and a server to send by. */
export async function startThunderbird(options: ThunderbirdOptions): Promise<Thunderbird> {
  const profile = join(options.home, 'profile');
  mkdirSync(profile, { recursive: true });
  const all = { ...QUIET, ...accountPreferences(options), ...options.preferences };
  const lines = Object.entries(all).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const screen = await startScreen();
  const env = {
    ...cleanEnvironment(options.home),
    DISPLAY: screen.display,
    MOZ_DISABLE_CONTENT_SANDBOX: '1',
  };
  const program = spawn(
    'thunderbird',
    ['--marionette', '--remote-allow-system-access', '--profile', profile, '--no-remote'],
    { env, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let complaints = '';
  program.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const stop = async (): Promise<void> => {
    if (program.pid !== undefined && program.exitCode === null) await stopTree(program.pid);
    await screen.stop();
  };
  try {
    const port = await marionettePort(profile);
    const control = await marionette(port);
    const session = await control.send('WebDriver:NewSession', {});
    await control.send('Marionette:SetContext', { value: 'chrome' });
    await control.send('WebDriver:SetTimeouts', { script: SCRIPT_MS });
    return thunderbird(control, screen.display, versionOf(session), stop);
  } catch (error) {
    await stop();
    throw new Error(`Thunderbird did not start: ${complaints.slice(-2000)}`, { cause: error });
  }
}

function thunderbird(
  control: Marionette,
  display: string,
  version: string,
  stop: () => Promise<void>,
): Thunderbird {
  return {
    version,
    display,
    async script(body, ...args) {
      // Both arguments of the callback are JSON: an error crosses as its text.
      const script = `
        const [args, done] = [Array.from(arguments).slice(0, -1), arguments[arguments.length - 1]];
        (async () => { ${body} })().then(
          (value) => done({ value: value ?? null }),
          (error) => done({ error: String(error) + "\\n" + (error?.stack ?? "") }),
        );`;
      const answer = await control.send('WebDriver:ExecuteAsyncScript', { script, args, newSandbox: false });
      const { value, error } = (answer as { value: { value?: unknown; error?: string } }).value;
      if (error !== undefined) throw new Error(`in Thunderbird: ${error}`);
      return value;
    },
    async screenshot() {
      const answer = await control.send('WebDriver:TakeScreenshot', { full: true });
      return Buffer.from(String((answer as { value: string }).value), 'base64');
    },
    async close() {
      control.close();
      await stop();
    },
  };
}

function versionOf(session: unknown): string {
  const { capabilities } = session as { capabilities?: Record<string, unknown> };
  return String(capabilities?.['browserVersion'] ?? '');
}

interface Screen {
  readonly display: string;
  stop(): Promise<void>;
}

/** Xvfb on a display number that is free: it finds one itself and says which. */
async function startScreen(): Promise<Screen> {
  const child: ChildProcess = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp'],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stdio[3]?.on('data', (data: Buffer) => (said += data.toString()));
  await until('Xvfb', START_MS, POLL_MS, () => said.includes('\n'));
  return {
    display: `:${said.trim()}`,
    stop: async () => {
      if (child.pid !== undefined) await stopTree(child.pid);
    },
  };
}

async function marionettePort(profile: string): Promise<number> {
  let port = '';
  await until('Marionette', START_MS, POLL_MS, () => {
    try {
      port = readFileSync(join(profile, 'MarionetteActivePort'), 'utf8').trim();
    } catch {
      // Not written yet.
    }
    return /^\d+$/.test(port);
  });
  return Number(port);
}

interface Marionette {
  send(command: string, parameters: unknown): Promise<unknown>;
  close(): void;
}

/** Messages are "length:json": [0, id, command, parameters] one way, [1, id, error, result] the other. */
async function marionette(port: number): Promise<Marionette> {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let received: Buffer = Buffer.alloc(0);
  let ids = 0;
  const fail = (why: string): void => {
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    for (;;) {
      const colon = received.indexOf(':');
      const length = colon === -1 ? Number.NaN : Number(received.toString('latin1', 0, colon));
      if (Number.isNaN(length) || received.length < colon + 1 + length) return;
      const parsed: unknown = JSON.parse(received.toString('utf8', colon + 1, colon + 1 + length));
      received = received.subarray(colon + 1 + length);
      // Its first message is who it is, no answer.
      if (!Array.isArray(parsed)) continue;
      const [, id, error, result] = parsed as [number, number, unknown, unknown];
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === null) asked?.resolve(result);
      else asked?.reject(new Error(JSON.stringify(error).slice(0, 2000)));
    }
  });
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('Thunderbird has gone'));
  return {
    send: (command, parameters) =>
      new Promise((resolve, reject) => {
        const id = ++ids;
        waiting.set(id, { resolve, reject });
        const text = JSON.stringify([0, id, command, parameters]);
        socket.write(`${Buffer.byteLength(text)}:${text}`);
      }),
    close: () => void socket.destroy(),
  };
}

/** No first-run pages, no updates, no network but ours, no questions. */
const QUIET = {
  'marionette.port': 0,
  'app.update.enabled': false,
  'app.donation.eoy.version.viewed': 999,
  'app.normandy.enabled': false,
  'browser.safebrowsing.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'mail.provider.enabled': false,
  'mail.rights.version': 1,
  'mail.shell.checkDefaultClient': false,
  'mail.spotlight.firstRunDone': true,
  'mail.winsearch.firstRunDone': true,
  'mailnews.start_page.enabled': false,
  'mailnews.start_page_override.mstone': 'ignore',
  'mail.inappnotifications.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
  'mail.biff.show_alert': false,
  'mail.biff.play_sound': false,
} as const;

/** Socket type 3 is TLS from the first byte, authentication 3 the plain password over it. */
function accountPreferences(options: ThunderbirdOptions): Record<string, string | number | boolean> {
  const { imapPort, smtpPort, address } = options;
  return {
    'mail.accountmanager.accounts': 'account1,account2',
    'mail.accountmanager.defaultaccount': 'account1',
    'mail.accountmanager.localfoldersserver': 'server2',
    'mail.account.account1.identities': 'id1',
    'mail.account.account1.server': 'server1',
    'mail.account.account2.server': 'server2',
    'mail.identity.id1.fullName': 'Bob',
    'mail.identity.id1.useremail': address,
    'mail.identity.id1.smtpServer': 'smtp1',
    'mail.identity.id1.valid': true,
    'mail.server.server1.type': 'imap',
    'mail.server.server1.name': address,
    'mail.server.server1.hostname': 'localhost',
    'mail.server.server1.port': imapPort,
    'mail.server.server1.userName': address,
    'mail.server.server1.socketType': 3,
    'mail.server.server1.authMethod': 3,
    // It must not connect before it knows certificate and password: it would ask, and wait for the answer.
    'mail.server.server1.login_at_startup': false,
    'mail.server.server1.check_new_mail': false,
    'mail.server.server2.type': 'none',
    'mail.server.server2.name': 'Local Folders',
    'mail.server.server2.hostname': 'Local Folders',
    'mail.server.server2.userName': 'nobody',
    'mail.smtpservers': 'smtp1',
    'mail.smtp.defaultserver': 'smtp1',
    'mail.smtpserver.smtp1.hostname': 'localhost',
    'mail.smtpserver.smtp1.port': smtpPort,
    'mail.smtpserver.smtp1.username': address,
    'mail.smtpserver.smtp1.try_ssl': 3,
    'mail.smtpserver.smtp1.authMethod': 3,
  };
}
