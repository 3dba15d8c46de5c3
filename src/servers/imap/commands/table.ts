import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts';
import { append } from './append.ts';
import { authenticate } from './authenticate.ts';
import { capability } from './capability.ts';
import { cancelUpdate } from './cancel-update.ts';
import { close, unselect } from './close.ts';
import type { Command } from './command.ts';
import { compress } from './compress.ts';
import { copy, move, uidCopy, uidMove } from './copy.ts';
import { enable } from './enable.ts';
import { esearch } from './esearch.ts';
import { expunge, uidExpunge } from './expunge.ts';
import { fetch, uidFetch } from './fetch.ts';
import { id } from './id.ts';
import { idle } from './idle.ts';
import { getJmapAccess } from './jmap-access.ts';
import { list, lsub } from './list.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { getMetadata, setMetadata } from './metadata.ts';
import { create, remove, rename, subscribe, unsubscribe } from './mailboxes.ts';
import { namespace } from './namespace.ts';
import { check, noop } from './noop.ts';
import { notify } from './notify.ts';
import { getQuota, getQuotaRoot, setQuota } from './quota.ts';
import { replace, uidReplace } from './replace.ts';
import { search, uidSearch } from './search.ts';
import { examine, select } from './select.ts';
import { sort, uidSort } from './sort.ts';
import { starttls } from './starttls.ts';
import { unauthenticate } from './unauthenticate.ts';
import { status } from './status.ts';
import { genUrlAuth, resetKey, urlFetch } from './urlauth.ts';
import { store, uidStore } from './store.ts';
import { thread, uidThread } from './thread.ts';

/** Every command of the protocol. A new one is a file and a row. */
const commands: readonly Command[] = [
  // Any state
  capability,
  noop,
  logout,
  id,
  // Not authenticated
  starttls,
  authenticate,
  login,
  // Authenticated
  enable,
  select,
  examine,
  create,
  remove,
  rename,
  subscribe,
  unsubscribe,
  list,
  lsub,
  namespace,
  status,
  append,
  genUrlAuth,
  resetKey,
  urlFetch,
  idle,
  compress,
  getJmapAccess,
  esearch,
  getQuota,
  getQuotaRoot,
  setQuota,
  notify,
  unauthenticate,
  getAcl,
  setAcl,
  deleteAcl,
  listRights,
  myRights,
  getMetadata,
  setMetadata,
  // Selected
  close,
  unselect,
  check,
  expunge,
  uidExpunge,
  search,
  uidSearch,
  sort,
  uidSort,
  thread,
  uidThread,
  cancelUpdate,
  fetch,
  uidFetch,
  store,
  uidStore,
  replace,
  uidReplace,
  copy,
  uidCopy,
  move,
  uidMove,
];

const byName: ReadonlyMap<string, Command> = new Map(commands.map((command) => [command.name, command]));

export function findCommand(name: string): Command | undefined {
  return byName.get(name);
}

/** Names of all commands, "UID FETCH" for one behind UID. */
export const commandNames: readonly string[] = [...byName.keys()];

/** Capabilities that come with commands. */
export const commandCapabilities: readonly string[] = commands.flatMap(
  (command) => command.capabilities ?? [],
);
