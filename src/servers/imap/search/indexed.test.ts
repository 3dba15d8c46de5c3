import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { imapTestServer } from '../../../../test/support/imap-server.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import { inlineSearch } from '../../../data/search/inline.ts';
import { mailboxEmails } from '../../../data/search/mailbox-emails.ts';
import type { MailSearch } from '../../../data/search/mail-search.ts';

const QUERIES = [
  'TEXT word',
  'BODY "word 1"',
  'SUBJECT about',
  'NOT SUBJECT "about 3"',
  'OR FROM bob BODY "word 2"',
  'UNSEEN TEXT word',
  'SEEN BODY word',
  'OR (SEEN SUBJECT about) (BODY "word 7")',
  'TEXT word SMALLER 130',
  'UID 3:9 BODY word',
  'HEADER Subject ""',
  'HEADER X-None ""',
  'NOT (OR BODY "rd 1" SUBJECT "t 5")',
  'MODSEQ 1 BODY word',
  'CHARSET UTF-7 BODY "+2D0-"',
  'TEXT ""',
];

test('IMAP SEARCH gives the same with an index, without one, with half of one, and with one that fails', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-search-'));
  let how: 'index' | 'scan' | 'half' = 'index';
  let asked = 0;
  let made: (MailSearch & { close(): Promise<void> }) | undefined;
  const search: MailSearch = {
    index: {
      async find(accountId, query) {
        asked++;
        const answer = (await made?.index.find(accountId, query)) ?? 'scan';
        if (how === 'scan' || answer === 'scan') return 'scan';
        if (how === 'index') return answer;
        // As if the index had not got further, and one email were too large for it.
        const ids = answer.ids.filter((id) => id <= 6 && id !== 4);
        return { ids, upTo: 6, open: Float64Array.of(4) };
      },
    },
    emails: {
      uidsOf: (place, ids) => made?.emails.uidsOf(place, ids) ?? Promise.resolve([]),
      uidsAbove: (place, id) => made?.emails.uidsAbove(place, id) ?? Promise.resolve([]),
    },
  };
  const server = await imapTestServer({ search });
  const { store } = server;
  const inline = inlineSearch({ directory, store, clock: systemClock, logger: silentLogger });
  made = { index: inline, emails: mailboxEmails(store.read), close: () => inline.close() };
  try {
    const c = await server.ready();
    for (let i = 0; i < 12; i++) {
      const from = i % 3 === 0 ? 'bob' : 'carol';
      await c.append(
        'INBOX',
        `From: ${from}@x.test\r\nSubject: about ${i}\r\n\r\n${'filler '.repeat(i)}word ${i}\r\n`,
        i % 2 === 0 ? '\\Seen' : '',
      );
    }
    await c.ok('SELECT INBOX (CONDSTORE)');
    await c.ok('COPY 2:3 INBOX');
    await c.ok('NOOP');
    await c.ok('STORE 5 +FLAGS (\\Deleted)');
    await c.ok('EXPUNGE');
    for (const query of QUERIES) {
      const answers: string[] = [];
      for (const each of ['scan', 'index', 'half'] as const) {
        how = each;
        const [answer = ''] = await c.ok(`UID SEARCH ${query}`);
        answers.push(answer);
      }
      assert.equal(answers[1], answers[0], query);
      assert.equal(answers[2], answers[0], query);
    }
    assert(asked >= 3 * 12, 'the index is asked');
    how = 'index';
    const [answer] = await c.ok('UID SEARCH BODY "word 1"');
    assert.equal(answer, 'SEARCH 2 11 12 13');
  } finally {
    await inline.close();
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
