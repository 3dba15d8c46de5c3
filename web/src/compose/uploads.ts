import { type Signal, signal as makeSignal } from '@preact/signals';
import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { ownAccountId, upload } from '../jmap/client.ts';
import { isOffline } from '../jmap/store/account.ts';
import type { Attachment } from './draft.ts';
import { mostUploadOctets } from './server.ts';

/** Files on their way to the server. */

export interface Transfer {
  /** Octets done, 0 to 1. */
  readonly done: number;
  /** Why it failed; it can be tried again. */
  readonly problem?: string;
  /** It failed because the server was not reached. */
  readonly unreached?: boolean;
}

export interface Uploads {
  /** Those under way or failed, by the key of their attachment. */
  readonly transfers: Signal<ReadonlyMap<string, Transfer>>;
  start(attachment: Attachment): void;
  cancel(key: string): void;
  /** All of them are done; false: some failed. */
  finished(): Promise<boolean>;
  /** What failed did so because the server was not reached. */
  unreached(): boolean;
  stop(): void;
}

export function createUploads(onDone: (key: string, blobId: string, size: number) => void): Uploads {
  const transfers = makeSignal<ReadonlyMap<string, Transfer>>(new Map());
  const running = new Map<
    string,
    { readonly controller: AbortController; readonly done: Promise<boolean> }
  >();
  const set = (key: string, transfer: Transfer | undefined): void => {
    const next = new Map(transfers.value);
    if (transfer === undefined) next.delete(key);
    else next.set(key, transfer);
    transfers.value = next;
  };
  const run = async ({ key, file }: Attachment, signal: AbortSignal): Promise<boolean> => {
    if (file === undefined) return true;
    try {
      const { blobId, size } = await upload(ownAccountId(), file, {
        signal,
        onProgress: (octets, total) => set(key, { done: total === 0 ? 0 : octets / total }),
      });
      set(key, undefined);
      onDone(key, blobId, size);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      const problem = error instanceof Error ? error.message : String(error);
      set(key, { done: 0, problem, unreached: isOffline(error) });
      return false;
    } finally {
      running.delete(key);
    }
  };
  return {
    transfers,
    start(attachment) {
      if (attachment.blobId !== undefined || running.has(attachment.key)) return;
      const most = mostUploadOctets();
      if (attachment.size > most) {
        // It would be refused when all of it is there.
        const problem = texts('compose')('fileTooLarge', { most: formatSize(most) });
        return set(attachment.key, { done: 0, problem });
      }
      const controller = new AbortController();
      set(attachment.key, { done: 0 });
      running.set(attachment.key, { controller, done: run(attachment, controller.signal) });
    },
    cancel(key) {
      running.get(key)?.controller.abort();
      set(key, undefined);
    },
    async finished() {
      const outcomes = await Promise.all([...running.values()].map(({ done }) => done));
      return outcomes.every(Boolean) && transfers.value.size === 0;
    },
    unreached: () => [...transfers.value.values()].every((each) => each.unreached === true),
    stop() {
      for (const { controller } of running.values()) controller.abort();
    },
  };
}
