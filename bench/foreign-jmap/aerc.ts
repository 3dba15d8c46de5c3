import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer, JmapClient } from '../../test/jmap/client.ts';
import { openTerminal } from '../../test/support/terminal.ts';
import type { Site } from './site.ts';
import { ex, soon, type Steps } from './steps.ts';

/**
 * aerc in a terminal: what somebody does with their mail, what the screen shows of it, and what another client sees then.
 * `command`: how it is started.
 */
export async function tryAerc(command: string, site: Site, { step }: Steps): Promise<void> {
  const { home, client } = site;
  await configure(site);
  const [bob, alice] = [await client(), await client('alice@example.test')];
  const boxes = await mailboxIds(bob);
  const ids = async (role: string): Promise<string[]> =>
    (await bob.call('Email/query', { filter: { inMailbox: boxes[role] }, limit: 5000 }))['ids'];
  const one = async (id: string, ...properties: string[]): Promise<Answer> =>
    (await bob.call('Email/get', { ids: [id], properties }))['list'][0];
  const newest = async (): Promise<string> =>
    (
      await bob.call('Email/query', {
        filter: { inMailbox: boxes['inbox'] },
        sort: [{ property: 'receivedAt', isAscending: false }],
        limit: 1,
      })
    )['ids'][0];

  const terminal = await openTerminal(home, `env SSL_CERT_FILE=${join(home, 'cert.pem')} ${command}`);
  const { keys, shows } = terminal;
  const run = (text: string): Promise<void> => ex(terminal, text);
  try {
    await step('signs in, lists the mailboxes', async () => {
      await shows(/Archive/, /Drafts/, /Inbox +\d+/, /Junk/, /Sent/, /Trash/);
    });
    await step('opens the INBOX', async () => {
      const { subject } = await one(await newest(), 'subject');
      await shows(like(subject));
    });
    await step('new mail appears by push (EventSource)', async () => {
      await site.deliver('pushed to aerc', 'words that are nowhere else: zanzibar');
      await shows(/Carol Remote +pushed to aerc/);
    });
    await step('opens a message: its text, and it is read', async () => {
      const id = await newest();
      await run('select 0');
      await keys('Enter');
      await shows(/Subject: pushed to aerc/, /zanzibar/);
      await soon('$seen', async () => (await one(id, 'keywords'))['keywords'].$seen === true);
      await run('close');
    });
    await step('flags it', async () => {
      const id = await newest();
      await run('flag');
      await soon('$flagged', async () => (await one(id, 'keywords'))['keywords'].$flagged === true);
    });
    await step('searches the text of messages, filters by it', async () => {
      await soon('the index', async () => {
        const filter = { body: 'zanzibar' };
        return (await bob.call('Email/query', { filter }))['ids'].length === 1;
      });
      await run('filter -b zanzibar');
      await shows(/pushed to aerc/, /^(?:(?!Lucas|Re:).)*$/s);
      await run('clear');
      await shows(/pushed to aerc[^]*\n[^]*\n/);
    });
    await step('shows threads', async () => {
      await run('toggle-threads');
      await shows(/[└┬]─>/);
      await run('toggle-threads');
    });
    await step('moves to another mailbox, archives, deletes', async () => {
      for (const [what, where] of [
        ['mv Junk', 'junk'],
        ['archive flat', 'archive'],
        ['delete', 'trash'],
      ] as const) {
        const id = await newest();
        const before = (await ids('inbox')).length;
        await run('select 0');
        await run(what);
        await soon(what, async () => (await ids(where)).includes(id) && !(await ids('inbox')).includes(id));
        await soon('one less', async () => (await ids('inbox')).length === before - 1);
        await shows(new RegExp(`Inbox +${before - 1}`));
      }
    });
    await step('deletes from the trash for good', async () => {
      await run('cf Trash');
      await shows(/pushed to aerc|\d\d:\d\d/);
      await run('select 0');
      await run('delete');
      await soon('an empty Trash', async () => (await ids('trash')).length === 0);
      await run('cf Inbox');
    });
    await step('writes and sends with an attachment, which arrives; a copy in Sent', async () => {
      await writeFile(join(home, 'notes.txt'), 'attached\n');
      await run('compose -H "To: alice@example.test" -H "Subject: written in aerc: Grüße"');
      await shows(/Send this email/);
      await run(`attach ${join(home, 'notes.txt')}`);
      await shows(/notes\.txt/);
      await keys('y');
      await arrived(alice, 'written in aerc: Grüße', true);
      await soon('a copy in Sent', async () => (await ids('sent')).length === 1);
    });
    await step('keeps a draft, takes it up again, sends it', async () => {
      await run('compose -H "To: alice@example.test" -H "Subject: postponed"');
      await shows(/Send this email/);
      await keys('p');
      await soon('a draft', async () => (await ids('drafts')).length === 1);
      await run('cf Drafts');
      await shows(/Bob +postponed/);
      await run('recall');
      await shows(/Send this email/);
      await keys('y');
      await arrived(alice, 'postponed', false);
      await soon('no draft', async () => (await ids('drafts')).length === 0);
      await shows(/no messages/);
      await run('cf Inbox');
    });
    await step('answers a message', async () => {
      await run('select 0');
      const id = await newest();
      await run('reply');
      await shows(/Send this email/);
      await keys('y');
      await soon('$answered', async () => (await one(id, 'keywords'))['keywords'].$answered === true);
    });
    await step('goes on after the server was restarted', async () => {
      await site.restart(2000);
      // It listens again after five seconds; of what came before that it hears with the next change only.
      await new Promise((done) => setTimeout(done, 8000));
      await site.deliver('after the restart', 'still there');
      await shows(/after the restart/);
    });
    await step('makes a mailbox', async () => {
      await run('mkdir Projects');
      await soon('Projects', async () => {
        const { list } = await (await client()).call('Mailbox/get', { properties: ['name'] });
        return (list as Answer[]).some(({ name }) => name === 'Projects');
      });
      await shows(/Projects/);
    });
  } finally {
    await terminal.close();
  }
}

async function configure(site: Site): Promise<void> {
  const { home, address, password, recorder } = site;
  const config = join(home, '.config/aerc');
  for (const name of ['stylesets', 'templates']) await mkdir(join(config, name), { recursive: true });
  const editor = join(home, 'editor.sh');
  const login = `${encodeURIComponent(address)}:${encodeURIComponent(password)}`;
  const files = {
    [editor]: '#!/bin/sh\nfor file; do :; done\necho "written in an editor" >> "$file"\n',
    [join(home, 'cert.pem')]: recorder.certificate,
    [join(config, 'accounts.conf')]: [
      '[Bob]',
      `source = jmap://${login}@127.0.0.1:${recorder.port}/.well-known/jmap`,
      'outgoing = jmap://',
      `from = Bob <${address}>`,
      'default = Inbox',
      'archive = Archive',
      'postpone = Drafts',
      'copy-to = Sent',
      'cache-state = true',
      'cache-blobs = true',
      'server-ping = 5s',
      '',
    ].join('\n'),
    [join(config, 'aerc.conf')]: [
      '[ui]',
      'sort = -r date',
      `stylesets-dirs = ${join(config, 'stylesets')}`,
      '[filters]',
      'text/plain = cat',
      '[compose]',
      `editor = ${editor}`,
      'address-book-cmd =',
      '',
    ].join('\n'),
    [join(config, 'binds.conf')]: [
      '[messages]',
      '<Enter> = :view<Enter>',
      '[compose::review]',
      'y = :send<Enter>',
      'p = :postpone<Enter>',
      '',
    ].join('\n'),
    [join(config, 'stylesets/default')]: '',
    // It does not start without these.
    ...Object.fromEntries(
      ['new_message', 'quoted_reply', 'forward_as_body'].map((name) => [
        join(config, 'templates', name),
        '\n',
      ]),
    ),
  };
  for (const [path, text] of Object.entries(files)) await writeFile(path, text);
  await chmod(editor, 0o755);
  // aerc refuses passwords that others may read.
  await chmod(join(config, 'accounts.conf'), 0o600);
}

export async function mailboxIds(client: JmapClient): Promise<Record<string, string>> {
  const { list } = await client.call('Mailbox/get', { properties: ['role'] });
  return Object.fromEntries(
    (list as Answer[]).filter(({ role }) => role !== null).map(({ role, id }) => [role, id]),
  );
}

/** Wait for a message with this subject at another account. */
export async function arrived(client: JmapClient, subject: string, attachment: boolean): Promise<void> {
  await soon(`"${subject}" at the other account`, async () => {
    const query = await client.call('Email/query', { filter: {}, limit: 100 });
    const { list } = await client.call('Email/get', {
      ids: query['ids'],
      properties: ['subject', 'hasAttachment', 'preview'],
    });
    const found = (list as Answer[]).find((each) => each['subject'] === subject);
    if (found === undefined) return false;
    assert.equal(found['hasAttachment'], attachment);
    assert.match(found['preview'], /written in an editor/);
    return true;
  });
}

/** The beginning of a text, as a list shows it. */
function like(text: string): RegExp {
  return new RegExp(text.slice(0, 20).replaceAll(/[^\w ]/g, '.'));
}
