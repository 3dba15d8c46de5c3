import assert from 'node:assert/strict';
import { Refusal, type RefusalKind } from '../../base/errors.ts';
import type { ReadEntry, WriteFunction } from '../catalogue.ts';
import { type Accept, writes as deliveryWrites } from '../delivery/writes.ts';
import type { ContractStore } from './contract-store.ts';
import { seedAccount, seedDomain } from './contract.sql.ts';
import { checkInvariants } from './invariants.ts';
import { reads } from './reads.ts';
import type { Deposit, FlagSet, MessageRow, NewBlob, ParsedContent, UidRange } from './types.ts';
import { writes as mailstoreWrites } from './writes.ts';

const writes = { ...mailstoreWrites, ...deliveryWrites };
type Writes = typeof writes;
type Reads = typeof reads;
type ArgsOf<F> = F extends WriteFunction<infer A, infer _R> ? A : never;
type ResultOf<F> = F extends WriteFunction<infer _A, infer R> ? R : never;
type ReadArgsOf<E> = E extends ReadEntry<infer A, infer _R> ? A : never;
type ReadResultOf<E> = E extends ReadEntry<infer _A, infer R> ? R : never;

/** Run a named write or read as the store would. */
export function operations(store: ContractStore) {
  return {
    write<N extends keyof Writes>(name: N, args: ArgsOf<Writes[N]>): Promise<ResultOf<Writes[N]>> {
      const fn = writes[name] as unknown as WriteFunction<ArgsOf<Writes[N]>, ResultOf<Writes[N]>>;
      return store.transact((tx) => fn(tx, args));
    },
    read<N extends keyof Reads>(name: N, args: ReadArgsOf<Reads[N]>): Promise<ReadResultOf<Reads[N]>> {
      const entry = reads[name] as unknown as ReadEntry<ReadArgsOf<Reads[N]>, ReadResultOf<Reads[N]>>;
      return store.transact((tx) => entry.run(tx, args));
    },
    async sound(): Promise<void> {
      assert.deepEqual(await store.transact(checkInvariants), []);
    },
  };
}

export type Operations = ReturnType<typeof operations>;

export async function newAccount(store: ContractStore, address: string, quota = 0): Promise<number> {
  const [localPart, domain] = address.split('@');
  const id = await store.transact(async (tx) => {
    const domainRow = await tx.get(seedDomain, `${localPart}.${domain}`);
    return (await tx.get(seedAccount, address, domainRow?.id ?? 0, quota))?.id ?? 0;
  });
  await operations(store).write('mailstore.createDefaults', { accountId: id });
  return id;
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
