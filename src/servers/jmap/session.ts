import { MAX_NAME_DEPTH } from '../../data/mailstore/names.ts';
import { MAX_MAILBOXES_PER_EMAIL } from '../../data/jmap/set-emails.ts';
import { RELEASE_MS } from '../../flow/service.ts';
import { SIEVE_EXTENSIONS, SIEVE_LIMITS } from '../../mail/sieve/index.ts';
import { type JmapOptions, shortHash } from './context.ts';
import { SCRIPT_BYTES, SCRIPT_NAME_LENGTH, SCRIPTS_PER_ACCOUNT } from '../../data/sieve/types.ts';
import type { Json, JsonObject } from './json.ts';
import { CAPABILITY, JMAP_LIMITS, SESSION_CAPABILITY } from './limits.ts';
import { accountText, allViews, type View } from './view.ts';

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

/** RFC 9661 section 1.2.1: octets of a name and of a script. */
const SIEVE: JsonObject = {
  maxSizeScriptName: SCRIPT_NAME_LENGTH,
  maxSizeScript: SCRIPT_BYTES,
  maxNumberScripts: SCRIPTS_PER_ACCOUNT,
  maxNumberRedirects: SIEVE_LIMITS.redirects,
  sieveExtensions: SIEVE_EXTENSIONS,
  notificationMethods: ['mailto'],
  externalLists: null,
};

function accountCapabilities(view: View, maxMessageBytes: number): JsonObject {
  const mail: JsonObject = {
    maxMailboxesPerEmail: MAX_MAILBOXES_PER_EMAIL,
    maxMailboxDepth: MAX_NAME_DEPTH,
    maxSizeMailboxName: JMAP_LIMITS.mailboxNameBytes,
    maxSizeAttachmentsPerEmail: Math.min(
      JMAP_LIMITS.attachmentsBytes,
      Math.floor(maxMessageBytes * JMAP_LIMITS.attachmentsShare),
    ),
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
    [CAPABILITY.submission]: {
      maxDelayedSend: RELEASE_MS / 1000,
      submissionExtensions: { FUTURERELEASE: [String(RELEASE_MS / 1000)], DSN: [], SMTPUTF8: [] },
    },
    [CAPABILITY.vacation]: {},
    [CAPABILITY.quota]: {},
    [CAPABILITY.sieve]: SIEVE,
  };
}

/** The session resource (RFC 8620 section 2). `base`: scheme and host as the client knows us. */
export async function sessionObject(
  { store: { read }, webPush, settings }: Pick<JmapOptions, 'store' | 'webPush' | 'settings'>,
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
      accountCapabilities: accountCapabilities(view, settings().maxMessageBytes),
    };
  }
  const [own] = views;
  const primary = own === undefined ? '' : accountText(own);
  const told = (at: string): JsonObject => ({
    capabilities: {
      ...Object.fromEntries(Object.values(CAPABILITY).map((name): [string, JsonObject] => [name, {}])),
      [CAPABILITY.core]: CORE,
      [CAPABILITY.sieve]: { implementation: 'Postern' },
      // RFC 8887 section 3: with the scheme of the rest, for there is TLS or there is none.
      [SESSION_CAPABILITY.websocket]: {
        url: `${at.replace(/^http/, 'ws')}/jmap/ws`,
        supportsPush: true,
      },
      ...(webPush !== undefined && {
        [SESSION_CAPABILITY.webPush]: { applicationServerKey: webPush.applicationServerKey },
      }),
    },
    accounts,
    primaryAccounts: Object.fromEntries(
      Object.values(CAPABILITY)
        .filter((name) => name !== CAPABILITY.core)
        .map((name) => [name, primary]),
    ),
    username: viewer.address,
    apiUrl: `${at}/jmap/api`,
    downloadUrl: `${at}/jmap/download/{accountId}/{blobId}/{name}?accept={type}`,
    uploadUrl: `${at}/jmap/upload/{accountId}/`,
    eventSourceUrl: `${at}/jmap/eventsource?types={types}&closeafter={closeafter}&ping={ping}`,
  });
  // Whatever changes in it changes its state; how the client reaches us is not the server's to change.
  return { ...told(base), state: shortHash(JSON.stringify(told(''))) };
}
