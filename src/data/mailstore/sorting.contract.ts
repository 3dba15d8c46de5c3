import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readHeader } from '../../mail/message/headers.ts';
import { sortKeys } from '../../mail/message/sort-keys.ts';
import {
  acceptOf,
  contentOf,
  depositOf,
  mailboxId,
  newAccount,
  type Operations,
} from './contract-fixtures.ts';
import type { SortField } from './sort-columns.ts';
import { CLOSE, OPEN } from './threading.ts';

const DAY = 24 * 3600 * 1000;

/** Sort keys, sorting and threading, and what QRESYNC asks. */
export function sortingContract(get: () => { ops: Operations; now: () => number }): void {
  let n = 0;
  const begin = async () => {
    const { ops } = get();
    const accountId = await newAccount(ops, `sorter${++n}`);
    const inbox = await mailboxId(ops, accountId, 'INBOX');
    const send = async (lines: string, sentAt?: number, withKeys = true): Promise<number> => {
      const keys = sortKeys(readHeader(Buffer.from(`${lines}\r\n\r\n`, 'utf8')));
      const content = contentOf({ sentAt, ...(withKeys && { keys }) });
      const result = await ops.write('delivery.accept', acceptOf([depositOf(accountId)], 'x', content));
      const [stored] = result.deposits;
      assert(stored?.status === 'stored');
      return stored.emailId;
    };
    const sort = async (...fields: SortField[]): Promise<number[]> => {
      const uids = (await ops.read('mailstore.snapshot', { mailboxId: inbox }))?.uids ?? new Uint32Array(0);
      const keys = fields.map((field) => ({ field, reverse: false }));
      return [...(await ops.read('mailstore.sort', { cache: 'contract', mailboxId: inbox, uids, keys }))];
    };
    const thread = async (algorithm: 'REFERENCES' | 'ORDEREDSUBJECT'): Promise<string> => {
      const uids = (await ops.read('mailstore.snapshot', { mailboxId: inbox }))?.uids ?? new Uint32Array(0);
      const args = { cache: 'contract', mailboxId: inbox, uids, algorithm };
      const tokens = await ops.read('mailstore.thread', args);
      return [...tokens].map((each) => (each === OPEN ? '(' : each === CLOSE ? ')' : ` ${each}`)).join('');
    };
    return { ops, accountId, inbox, send, sort, thread };
  };

  it('sorts by keys in the order of their octets, and keeps up with what arrives and goes', async () => {
    const { ops, accountId, inbox, send, sort } = await begin();
    await send('Subject: \u{1f600}\r\nFrom: b@x', 3000);
    await send('Subject: \ufb50\r\nFrom: a@x', 1000);
    await send('Subject: zebra\r\nFrom: b@x');
    assert.deepEqual(await sort('subject'), [3, 2, 1]);
    // Without a date the time of arrival counts, which is 1000 here.
    assert.deepEqual(await sort('date'), [2, 3, 1]);
    assert.deepEqual(await sort('from', 'date'), [2, 3, 1]);
    await send('Subject: Apple\r\nFrom: c@x', 2000);
    const many = await Promise.all([sort('subject'), sort('subject'), sort('date'), sort('subject')]);
    assert.deepEqual(many, [
      [4, 3, 2, 1],
      [4, 3, 2, 1],
      [2, 3, 4, 1],
      [4, 3, 2, 1],
    ]);
    await ops.write('mailstore.expunge', {
      accountId,
      mailboxId: inbox,
      ranges: [{ from: 2, to: 3 }],
      anyFlag: true,
    });
    assert.deepEqual(await sort('subject'), [4, 1]);
    await send('Subject: middle');
    assert.deepEqual(await sort('subject'), [4, 5, 1]);
  });

  it('threads by what messages refer to, and by subject', async () => {
    const { send, thread } = await begin();
    await send('Message-ID: <a@x>\r\nSubject: one', 1000);
    await send('Message-ID: <b@x>\r\nReferences: <none@x> <a@x>\r\nSubject: two', 2000);
    await send('Message-ID: <c@x>\r\nIn-Reply-To: <a@x>\r\nSubject: three', 3000);
    await send('Subject: Re: two', 4000);
    assert.equal(await thread('REFERENCES'), '( 1( 2)( 3))( 4)');
    assert.equal(await thread('ORDEREDSUBJECT'), '( 1)( 2 4)( 3)');
  });

  it('takes keys later for mail that has none, once, and forgets them with the mail', async () => {
    const { ops, accountId, inbox, send, sort } = await begin();
    const first = await send('Subject: x', 1000, false);
    await send('Subject: m', 1000);
    const missing = () => ops.read('mailstore.withoutKeys', { mailboxId: inbox, after: 0, limit: 10 });
    assert.deepEqual(await missing(), [1]);
    assert.deepEqual(await sort('subject'), [1, 2]);
    const late = (subject: string) => ({
      keys: sortKeys(readHeader(Buffer.from(`Subject: ${subject}\r\n\r\n`))),
      sentAt: undefined,
    });
    await ops.write('mailstore.addKeys', {
      emails: [
        { emailId: first, ...late('z') },
        { emailId: first, ...late('a') },
        { emailId: 999_999_999, ...late('a') },
      ],
    });
    assert.deepEqual(await missing(), []);
    assert.deepEqual(await sort('subject'), [2, 1]);
    await ops.write('mailstore.expunge', { accountId, mailboxId: inbox, anyFlag: true });
    // A row of keys that stays would keep its email from being removed.
    const { emails } = await ops.write('mailstore.purge', { before: get().now() + DAY, limit: 100_000 });
    assert(emails >= 2);
  });

  it('tells what went after a modseq', async () => {
    const { ops, accountId, inbox, send } = await begin();
    for (let i = 0; i < 4; i++) await send('Subject: x');
    const since = async (modseq: number) => {
      const { uids, uidnext, complete } = await ops.read('mailstore.vanishedSince', {
        mailboxId: inbox,
        modseq,
      });
      return { uids: [...uids], uidnext, complete };
    };
    const remove = (uid: number) =>
      ops.write('mailstore.expunge', {
        accountId,
        mailboxId: inbox,
        ranges: [{ from: uid, to: uid }],
        anyFlag: true,
      });
    const { modseq: first } = await remove(2);
    const { modseq: second } = await remove(4);
    assert.deepEqual(await since(first - 1), { uids: [2, 4], uidnext: 5, complete: true });
    assert.deepEqual(await since(first), { uids: [4], uidnext: 5, complete: true });
    assert.deepEqual(await since(second), { uids: [], uidnext: 5, complete: true });
  });
}
