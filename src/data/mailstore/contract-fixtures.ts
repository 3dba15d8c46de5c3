import assert from 'node:assert/strict';
import { Refusal, type RefusalKind } from '../../base/errors.ts';
import type { Accept } from '../delivery/writes.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { ReadArgs, ReadName, ReadResult, WriteArgs, WriteName, WriteResult } from '../store.ts';
import { checkInvariants } from './invariants.ts';
import type { Deposit, FlagSet, MessageRow, NewBlob, ParsedContent, UidRange } from './types.ts';

export const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

/** The store's operations in short. */
export function operations(store: InlineStore) {
  return {
    write: <N extends WriteName>(name: N, args: WriteArgs<N>): Promise<WriteResult<N>> =>
      store.write.run(name, args),
    read: <N extends ReadName>(name: N, args: ReadArgs<N>): Promise<ReadResult<N>> =>
      store.read.run(name, args),
    async sound(): Promise<void> {
      assert.deepEqual(await store.inspect(checkInvariants), []);
    },
  };
}

export type Operations = ReturnType<typeof operations>;

export const DOMAIN = 'mail.test';

/** An account with its default mailboxes; the domain must be there. */
export async function newAccount(ops: Operations, localPart: string, quota = 0): Promise<number> {
  const account = await ops.write('directory.addAccount', {
    actor: SYSTEM,
    address: `${localPart}@${DOMAIN}`,
    displayName: '',
    role: 'user',
    quota,
    hash: 'none',
    scram: null,
  });
  return account.id;
}

export function blobOf(text: string): NewBlob {
  const data = Buffer.from(text);
  return { size: data.length, encoding: 'raw', data, file: undefined };
}

export function contentOf(more: Partial<ParsedContent> = {}): ParsedContent {
  return {
    envelope: Buffer.from('(envelope)'),
    bodystructure: Buffer.from('(bodystructure)'),
    structure: '{}',
    sentAt: undefined,
    messageId: undefined,
    references: [],
    ...more,
  };
}

export function depositOf(accountId: number, more: Partial<Deposit> = {}): Deposit {
  return {
    accountId,
    mailbox: { name: 'INBOX' },
    prefix: Buffer.alloc(0),
    hidden: [],
    set: { flags: 0, keywords: [] },
    receivedAt: 1000,
    trace: undefined,
    ignoreQuota: false,
    ...more,
  };
}

export function acceptOf(
  deposits: readonly Deposit[],
  text = 'Subject: x\r\n\r\nbody\r\n',
  content = contentOf(),
): Accept {
  return { blob: blobOf(text), content, deposits, overQuota: 'report', queue: [], events: [] };
}

export async function mailboxId(ops: Operations, accountId: number, name: string): Promise<number> {
  const mailbox = await ops.read('mailstore.mailbox', { accountId, name });
  assert.ok(mailbox, `mailbox ${name}`);
  return mailbox.id;
}

/** Append `n` messages and return their UIDs. */
export async function fill(
  ops: Operations,
  accountId: number,
  mailbox: number,
  n: number,
  set: FlagSet = { flags: 0, keywords: [] },
): Promise<number[]> {
  const uids: number[] = [];
  for (let i = 0; i < n; i++) {
    const deposit = depositOf(accountId, { set });
    const args = {
      accountId,
      mailboxId: mailbox,
      blob: blobOf(`message ${i}`),
      content: contentOf(),
      deposit,
    };
    uids.push((await ops.write('mailstore.append', args)).uid);
  }
  return uids;
}

export const ALL: readonly UidRange[] = [{ from: 1, to: 0xffff_ffff }];

export function rowsOf(ops: Operations, mailbox: number): Promise<MessageRow[]> {
  return ops.read('mailstore.fetch', { mailboxId: mailbox, ranges: ALL, want: [], limit: 100_000 });
}

/** The promise must be refused, as this kind and, when given, with this IMAP response code. */
export async function refused(
  promise: Promise<unknown>,
  kind: RefusalKind,
  imapCode?: string,
): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.kind, kind);
    if (imapCode !== undefined) assert.equal(error.imapCode, imapCode);
    return true;
  });
}
