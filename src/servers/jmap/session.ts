import { MAX_NAME_BYTES } from '../../data/mailstore/names.ts';
import { MAX_MAILBOXES_PER_EMAIL } from '../../data/jmap/set-emails.ts';
import type { Store } from '../../data/store.ts';
import { shortHash } from './context.ts';
import type { Json, JsonObject } from './json.ts';
import { CAPABILITY, JMAP_LIMITS } from './limits.ts';
import { accountText, allViews, type View } from './view.ts';

/** Octets of a name of one level: some room is left for what stands above. */
const LEVEL_BYTES = MAX_NAME_BYTES / 2;

const CORE: JsonObject = {
  maxSizeUpload: JMAP_LIMITS.sizeUpload,
  maxConcurrentUpload: JMAP_LIMITS.concurrentUpload,
  maxSizeRequest: JMAP_LIMITS.sizeRequest,
  maxConcurrentRequests: JMAP_LIMITS.concurrentRequests,
  maxCallsInRequest: JMAP_LIMITS.callsInRequest,
  maxObjectsInGet: JMAP_LIMITS.objectsInGet,
  maxObjectsInSet: JMAP_LIMITS.objectsInSet,
  collationAlgorithms: ['i;unicode-casemap'],
};

function accountCapabilities(view: View): JsonObject {
  const mail: JsonObject = {
    maxMailboxesPerEmail: MAX_MAILBOXES_PER_EMAIL,
    maxMailboxDepth: 20,
    maxSizeMailboxName: LEVEL_BYTES,
    maxSizeAttachmentsPerEmail: JMAP_LIMITS.attachmentsBytes,
    emailQuerySortOptions: [
      'receivedAt',
      'sentAt',
      'size',
      'subject',
      'from',
      'to',
      'hasKeyword',
      'allInThreadHaveKeyword',
      'someInThreadHaveKeyword',
    ],
    mayCreateTopLevelMailbox: view.own,
  };
  const blob: JsonObject = {
    maxSizeBlobSet: JMAP_LIMITS.sizeUpload,
    maxDataSources: JMAP_LIMITS.blobUploadSources,
    supportedTypeNames: ['Mailbox', 'Thread', 'Email'],
    supportedDigestAlgorithms: ['sha', 'sha-256', 'sha-512'],
  };
  const shared = { [CAPABILITY.mail]: mail, [CAPABILITY.blob]: blob };
  if (!view.own) return shared;
  return {
    ...shared,
    [CAPABILITY.submission]: { maxDelayedSend: 0, submissionExtensions: {} },
    [CAPABILITY.vacation]: {},
    [CAPABILITY.quota]: {},
  };
}

/** The session resource (RFC 8620 section 2). `base`: scheme and host as the client knows us. */
export async function sessionObject(
  read: Store['read'],
  viewer: { readonly accountId: number; readonly address: string },
  base: string,
): Promise<JsonObject> {
  const views = await allViews(read, viewer.accountId);
  const accounts: Record<string, Json> = {};
  for (const view of views) {
    const account = view.own ? undefined : await read.run('directory.account', { id: view.accountId });
    accounts[accountText(view)] = {
      name: account?.address ?? viewer.address,
      isPersonal: view.own,
      isReadOnly: view.readOnly,
      accountCapabilities: accountCapabilities(view),
    };
  }
  const [own] = views;
  const primary = own === undefined ? '' : accountText(own);
  const rest = {
    capabilities: {
      ...Object.fromEntries(Object.values(CAPABILITY).map((name): [string, JsonObject] => [name, {}])),
      [CAPABILITY.core]: CORE,
    },
    accounts,
    primaryAccounts: Object.fromEntries(
      Object.values(CAPABILITY)
        .filter((name) => name !== CAPABILITY.core)
        .map((name) => [name, primary]),
    ),
    username: viewer.address,
    apiUrl: `${base}/jmap/api`,
    downloadUrl: `${base}/jmap/download/{accountId}/{blobId}/{name}?accept={type}`,
    uploadUrl: `${base}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${base}/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
  };
  return { ...rest, state: shortHash(JSON.stringify([accounts, viewer.address])) };
}
