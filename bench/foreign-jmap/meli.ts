import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from '../../test/jmap/client.ts';
import { openTerminal } from '../../test/support/terminal.ts';
import { arrived, mailboxIds } from './aerc.ts';
import { programUnder } from './places.ts';
import type { Site } from './site.ts';
import { ex, soon, type Steps } from './steps.ts';

/** It asks what is new once a minute. */
const POLL_MS = 150_000;

/** meli in a terminal. Its `delete` is left out: 0.8 asks nothing of a JMAP server then. `command`: how it is started; `root`: where its m4 lies too, through which it reads its settings. */
export async function tryMeli(command: string, root: string, site: Site, { step }: Steps): Promise<void> {
  const { home, client } = site;
  await configure(site, root);
  const [bob, alice] = [await client(), await client('alice@example.test')];
  const boxes = await mailboxIds(bob);
  const ids = async (role: string): Promise<string[]> =>
    (await bob.call('Email/query', { filter: { inMailbox: boxes[role] }, limit: 5000 }))['ids'];
  const one = async (id: string, ...properties: string[]): Promise<Answer> =>
    (await bob.call('Email/get', { ids: [id], properties }))['list'][0];
  const find = async (subject: string): Promise<string> =>
    (await bob.call('Email/query', { filter: { subject } }))['ids'][0];

  await site.deliver('first for meli', 'words that are nowhere else: zanzibar');
  const path = `${join(home, 'bin')}:/usr/bin:/bin`;
  const terminal = await openTerminal(home, `env PATH=${path} TERM=xterm-256color ${command}`);
  const { keys, shows, type } = terminal;
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 400));
  const run = async (text: string): Promise<void> => {
    await keys('Escape');
    // An Escape and a letter in one go would be Alt and the letter.
    await settle();
    await ex(terminal, text);
  };
  /** A field of the message that is written. */
  const fill = async (text: string): Promise<void> => {
    await keys('Enter');
    await settle();
    await type(text);
    await settle();
    await keys('Enter');
  };
  const see = (what: string, pattern: RegExp): Promise<void> =>
    soon(what, async () => pattern.test(await shows(/Inbox/)), POLL_MS);
  try {
    await step('signs in, lists the mailboxes, opens the INBOX', async () => {
      await shows(/Inbox ?\d+/, /Archive/, /Drafts/, /Junk/, /Sent/, /Trash/, /Carol Remote.*first for meli/);
    });
    await step('opens a message: its text, and it is read', async () => {
      const id = await find('first for meli');
      await keys('Enter');
      await shows(/Subject: first for meli/, /zanzibar/);
      await soon('$seen', async () => (await one(id, 'keywords'))['keywords'].$seen === true);
      await keys('i');
    });
    await step('flags and tags', async () => {
      const id = await find('first for meli');
      await run('flag set flagged');
      await soon('$flagged', async () => (await one(id, 'keywords'))['keywords'].$flagged === true);
      await run('tag add work');
      await soon('work', async () => (await one(id, 'keywords'))['keywords'].work === true);
    });
    await step('searches texts and subjects', async () => {
      await soon('the index', async () => {
        const filter = { body: 'zanzibar' };
        return (await bob.call('Email/query', { filter }))['ids'].length === 1;
      });
      await run('search zanzibar');
      await shows(/1 results? for `zanzibar`/, /first for meli/);
      await keys('Escape');
    });
    await step('new mail appears (it asks once a minute)', async () => {
      await site.deliver('quokka for meli', 'text');
      await see('the new message', /quokka for meli/);
    });
    await step('copies to another mailbox, and moves', async () => {
      const id = await find('quokka for meli');
      await run('search subject:quokka');
      await shows(/1 results? for/, /quokka for meli/);
      await run('copyto Archive');
      await soon('the copy', async () => (await ids('archive')).includes(id));
      await run('moveto Junk');
      await soon(
        'the move',
        async () => (await ids('junk')).includes(id) && !(await ids('inbox')).includes(id),
      );
    });
    await step('writes and sends, which arrives', async () => {
      await keys('Escape', 'Escape');
      await settle();
      await keys('m');
      await shows(/COMPOSING MESSAGE/);
      await fill('alice@example.test');
      await shows(/To +alice@example\.test/);
      await keys('j', 'j', 'j');
      await fill('written in meli');
      await shows(/Subject +written in meli/);
      await keys('e');
      await shows(/written in an editor/);
      await keys('s');
      await shows(/send mail\?/);
      await keys('Enter');
      await arrived(alice, 'written in meli', false);
    });
    await step('a copy in Sent', () => soon('it', async () => (await ids('sent')).length === 1));
    await step('goes on after the server was restarted', async () => {
      await keys('Escape');
      await site.restart(2000);
      await site.deliver('after the restart', 'still there');
      await see('the new message', /after the restart/);
    });
  } finally {
    await terminal.close();
  }
}

async function configure(site: Site, root: string): Promise<void> {
  const { home, address, password, recorder } = site;
  const config = join(home, '.config/meli');
  for (const name of [config, join(home, 'bin'), join(home, '.local/share'), join(home, '.cache')])
    await mkdir(name, { recursive: true });
  const editor = join(home, 'editor.sh');
  const files = {
    [editor]: '#!/bin/sh\nfor file; do :; done\necho "written in an editor" >> "$file"\n',
    [join(home, 'bin/m4')]: `#!/bin/sh\nexec ${programUnder(root, 'm4') ?? 'm4'} "$@"\n`,
    [join(config, 'config.toml')]: [
      '[accounts."bob"]',
      'root_mailbox = "INBOX"',
      'format = "jmap"',
      'send_mail = "server_submission"',
      `server_url = "https://127.0.0.1:${recorder.port}/"`,
      `server_username = "${address}"`,
      `server_password = "${password}"`,
      `identity = "${address}"`,
      'danger_accept_invalid_certs = true',
      '[composing]',
      `editor_command = "${editor}"`,
      'embedded_pty = false',
      '[pgp]',
      'auto_sign = false',
      '',
    ].join('\n'),
  };
  for (const [path, text] of Object.entries(files)) await writeFile(path, text);
  for (const path of [editor, join(home, 'bin/m4')]) await chmod(path, 0o755);
  await chmod(join(config, 'config.toml'), 0o600);
}
