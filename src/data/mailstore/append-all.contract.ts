import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  blobOf,
  contentOf,
  depositOf,
  fill,
  mailboxId,
  newAccount,
  type Operations,
  refused,
  SYSTEM,
} from './contract-fixtures.ts';

/** MULTIAPPEND and REPLACE, previews and keys of URLs. */
export function appendAllContract(get: () => { ops: Operations }): void {
  let n = 0;
  const begin = async (quota = 0) => {
    const { ops } = get();
    const accountId = await newAccount(ops, `appender${++n}`, quota);
    const inbox = await mailboxId(ops, accountId, 'INBOX');
    const messages = (...texts: string[]) =>
      texts.map((text) => ({ blob: blobOf(text), content: contentOf(), deposit: depositOf(accountId) }));
    const uids = async (id: number): Promise<number[]> => [
      ...((await ops.read('mailstore.snapshot', { mailboxId: id }))?.uids ?? []),
    ];
    return { ops, accountId, inbox, messages, uids };
  };

  it('appends several at once, with UIDs in their order, or none', async () => {
    const { ops, accountId, inbox, messages, uids } = await begin(100);
    const there = { accountId, mailboxId: inbox };
    const first = await ops.write('mailstore.appendAll', { ...there, messages: messages('a', 'b', 'c') });
    assert.deepEqual(first.uids, [1, 2, 3]);
    const tooMuch = { ...there, messages: messages('d', 'x'.repeat(90), 'y'.repeat(90)) };
    await refused(ops.write('mailstore.appendAll', tooMuch), 'over-quota');
    await refused(
      ops.write('mailstore.appendAll', { accountId, mailboxId: 999_999, messages: messages('e') }),
      'no-such-mailbox',
    );
    assert.deepEqual(await uids(inbox), [1, 2, 3]);
    const { used } = await ops.read('mailstore.quota', { accountId });
    assert.equal(used, 3);
    await ops.sound();
  });

  it('replaces a message in one commit, also by one that fits only in its place, also across accounts', async () => {
    const { ops, accountId, inbox, messages, uids } = await begin(100);
    const there = { accountId, mailboxId: inbox };
    const [uid = 0] = (
      await ops.write('mailstore.appendAll', { ...there, messages: messages('x'.repeat(80)) })
    ).uids;
    const replaces = { ...there, uid };
    const args = { ...there, messages: messages('y'.repeat(90)), replaces };
    assert.deepEqual((await ops.write('mailstore.appendAll', args)).uids, [2]);
    assert.deepEqual(await uids(inbox), [2]);
    // It has gone already: nothing comes in its place.
    await refused(ops.write('mailstore.appendAll', args), 'no-such-message');
    // Nothing goes when what comes does not fit.
    const large = { ...there, messages: messages('z'.repeat(101)), replaces: { ...there, uid: 2 } };
    await refused(ops.write('mailstore.appendAll', large), 'over-quota');
    assert.deepEqual(await uids(inbox), [2]);
    const other = await newAccount(ops, `appender-other${n}`);
    const theirs = await mailboxId(ops, other, 'INBOX');
    const across = {
      accountId: other,
      mailboxId: theirs,
      messages: [{ blob: blobOf('w'), content: contentOf(), deposit: depositOf(other) }],
      replaces: { ...there, uid: 2 },
    };
    assert.deepEqual((await ops.write('mailstore.appendAll', across)).uids, [1]);
    assert.deepEqual(await uids(inbox), []);
    await ops.sound();
  });

  it('keeps previews with emails until those are purged', async () => {
    const { ops, accountId, inbox } = await begin();
    await fill(ops, accountId, inbox, 2);
    const rows = await ops.read('mailstore.fetch', {
      mailboxId: inbox,
      ranges: [{ from: 1, to: 2 }],
      want: [],
      limit: 2,
    });
    const emailIds = rows.map(({ emailId }) => emailId);
    const [a = 0, b = 0] = emailIds;
    assert.deepEqual(await ops.read('mailstore.previews', { emailIds }), []);
    const emails = [
      { emailId: b, preview: 'café 😀\0' },
      { emailId: 999_999, preview: 'of nothing' },
    ];
    await ops.write('mailstore.keepPreviews', { emails });
    await ops.write('mailstore.keepPreviews', { emails: [{ emailId: b, preview: 'another' }] });
    assert.deepEqual(await ops.read('mailstore.previews', { emailIds: [a, b, 999_999] }), [
      { emailId: b, preview: 'café 😀' },
    ]);
    await ops.write('mailstore.expunge', { accountId, mailboxId: inbox, anyFlag: true });
    await ops.write('mailstore.purge', { before: Number.MAX_SAFE_INTEGER, limit: 100 });
    assert.deepEqual(await ops.read('mailstore.previews', { emailIds }), []);
    await ops.sound();
  });

  it('has a URL key for each mailbox and account, until it is reset or the mailbox goes', async () => {
    const { ops, accountId } = await begin();
    const make = (byte: number, id: number) =>
      ops.write('mailstore.needUrlKey', { accountId, mailboxId: id, secret: Buffer.alloc(32, byte) });
    const key = async (id: number) =>
      (await ops.read('mailstore.urlKey', { accountId, mailboxId: id }))?.secret[0];
    const { id: one } = await ops.write('mailstore.createMailbox', { accountId, name: 'One' });
    const { id: two } = await ops.write('mailstore.createMailbox', { accountId, name: 'Two' });
    assert.equal((await make(1, one)).secret[0], 1);
    assert.equal((await make(2, one)).secret[0], 1);
    await make(3, two);
    await ops.write('mailstore.resetUrlKeys', { accountId, mailboxId: one });
    assert.equal(await key(one), undefined);
    assert.equal(await key(two), 3);
    await make(4, one);
    await ops.write('mailstore.deleteMailbox', { accountId, name: 'Two' });
    assert.equal(await key(two), undefined);
    await ops.write('mailstore.resetUrlKeys', { accountId });
    assert.equal(await key(one), undefined);
    await ops.sound();
    // Keys of an account that goes, also those for mailboxes of others.
    const other = await newAccount(ops, `appender-keeper${n}`);
    const theirs = await mailboxId(ops, other, 'INBOX');
    await make(5, theirs);
    const address = `appender${n}@mail.test`;
    await ops.write('directory.removeAccount', { actor: SYSTEM, address, purge: true });
    assert.equal(await key(theirs), undefined);
    await ops.sound();
  });
}
