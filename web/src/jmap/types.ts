/** Objects of JMAP as the server gives them (RFC 8620, RFC 8621, RFC 9425). Dates are texts as RFC 8620 section 1.4 has them. */

export type Id = string;
/** "{id}/property": value pairs, or a null that takes something away (RFC 8620 section 5.3). */
export type Patch = Readonly<Record<string, unknown>>;

export interface Session {
  readonly capabilities: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly accounts: Readonly<Record<Id, Account>>;
  readonly primaryAccounts: Readonly<Record<string, Id>>;
  readonly username: string;
  readonly apiUrl: string;
  readonly downloadUrl: string;
  readonly uploadUrl: string;
  readonly eventSourceUrl: string;
  readonly state: string;
}

export interface Account {
  readonly name: string;
  readonly isPersonal: boolean;
  readonly isReadOnly: boolean;
  readonly accountCapabilities: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export type Role = 'inbox' | 'archive' | 'drafts' | 'junk' | 'sent' | 'trash' | 'flagged' | 'all';

export interface MailboxRights {
  readonly mayReadItems: boolean;
  readonly mayAddItems: boolean;
  readonly mayRemoveItems: boolean;
  readonly maySetSeen: boolean;
  readonly maySetKeywords: boolean;
  readonly mayCreateChild: boolean;
  readonly mayRename: boolean;
  readonly mayDelete: boolean;
  readonly maySubmit: boolean;
}

export interface Mailbox {
  readonly id: Id;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: Role | null;
  readonly sortOrder: number;
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
  readonly myRights: MailboxRights;
  readonly isSubscribed: boolean;
}

export interface EmailAddress {
  readonly name: string | null;
  readonly email: string;
}

export interface EmailHeader {
  readonly name: string;
  readonly value: string;
}

export interface EmailBodyPart {
  readonly partId: string | null;
  readonly blobId: Id | null;
  readonly size: number;
  readonly name: string | null;
  readonly type: string;
  readonly charset: string | null;
  readonly disposition: string | null;
  readonly cid: string | null;
  readonly language?: readonly string[] | null;
  readonly location?: string | null;
  readonly headers?: readonly EmailHeader[];
  readonly subParts?: readonly EmailBodyPart[] | null;
}

export interface EmailBodyValue {
  readonly value: string;
  readonly isEncodingProblem: boolean;
  readonly isTruncated: boolean;
}

export type Keywords = Readonly<Record<string, true>>;

/** What a list shows of an email. */
export interface EmailEntry {
  readonly id: Id;
  readonly threadId: Id;
  readonly mailboxIds: Readonly<Record<Id, true>>;
  readonly keywords: Keywords;
  readonly size: number;
  readonly receivedAt: string;
  readonly from: readonly EmailAddress[] | null;
  readonly to: readonly EmailAddress[] | null;
  readonly subject: string | null;
  readonly preview: string;
  readonly hasAttachment: boolean;
}

/** An email with its content. */
export interface Email extends EmailEntry {
  readonly blobId: Id;
  readonly messageId: readonly string[] | null;
  readonly inReplyTo: readonly string[] | null;
  readonly references: readonly string[] | null;
  readonly sender: readonly EmailAddress[] | null;
  readonly cc: readonly EmailAddress[] | null;
  readonly bcc: readonly EmailAddress[] | null;
  readonly replyTo: readonly EmailAddress[] | null;
  readonly sentAt: string | null;
  readonly bodyStructure: EmailBodyPart;
  readonly bodyValues: Readonly<Record<string, EmailBodyValue>>;
  readonly textBody: readonly EmailBodyPart[];
  readonly htmlBody: readonly EmailBodyPart[];
  readonly attachments: readonly EmailBodyPart[];
  /** Fields that were asked for by name ("header:List-Id:asText"). */
  readonly [header: `header:${string}`]: unknown;
  readonly 'header:Authentication-Results:asText:all'?: readonly string[];
}

/** What Email/parse gives of a message within a message. */
export type ParsedEmail = Omit<Email, 'id' | 'threadId' | 'mailboxIds' | 'keywords' | 'receivedAt'>;

export interface Thread {
  readonly id: Id;
  /** Oldest first. */
  readonly emailIds: readonly Id[];
}

export interface Identity {
  readonly id: Id;
  readonly name: string;
  readonly email: string;
  readonly replyTo: readonly EmailAddress[] | null;
  readonly bcc: readonly EmailAddress[] | null;
  readonly textSignature: string;
  readonly htmlSignature: string;
  readonly mayDelete: boolean;
}

export interface Envelope {
  readonly mailFrom: {
    readonly email: string;
    readonly parameters?: Readonly<Record<string, string | null>>;
  };
  readonly rcptTo: readonly {
    readonly email: string;
    readonly parameters?: Readonly<Record<string, string | null>>;
  }[];
}

export interface EmailSubmission {
  readonly id: Id;
  readonly identityId: Id;
  readonly emailId: Id;
  readonly threadId: Id;
  readonly envelope: Envelope | null;
  readonly sendAt: string;
  readonly undoStatus: 'pending' | 'final' | 'canceled';
  readonly deliveryStatus: Readonly<Record<string, unknown>> | null;
}

export interface VacationResponse {
  readonly id: 'singleton';
  readonly isEnabled: boolean;
  readonly fromDate: string | null;
  readonly toDate: string | null;
  readonly subject: string | null;
  readonly textBody: string | null;
  readonly htmlBody: string | null;
}

export interface Quota {
  readonly id: Id;
  readonly resourceType: 'count' | 'octets';
  readonly used: number;
  readonly hardLimit: number;
  readonly warnLimit: number | null;
  readonly softLimit: number | null;
  readonly scope: string;
  readonly name: string;
  readonly types: readonly string[];
}

export interface SearchSnippet {
  readonly emailId: Id;
  /** Text with <mark> around what was found, all else escaped; null: nothing found there. */
  readonly subject: string | null;
  readonly preview: string | null;
}

export interface SieveScript {
  readonly id: Id;
  readonly name: string | null;
  readonly blobId: Id;
  readonly isActive: boolean;
}

/** FilterCondition of Email/query (RFC 8621 section 4.4.1). */
export interface EmailCondition {
  readonly inMailbox?: Id;
  readonly inMailboxOtherThan?: readonly Id[];
  readonly before?: string;
  readonly after?: string;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly allInThreadHaveKeyword?: string;
  readonly someInThreadHaveKeyword?: string;
  readonly noneInThreadHaveKeyword?: string;
  readonly hasKeyword?: string;
  readonly notKeyword?: string;
  readonly hasAttachment?: boolean;
  readonly text?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cc?: string;
  readonly bcc?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly header?: readonly [name: string, value?: string];
}
export interface EmailOperator {
  readonly operator: 'AND' | 'OR' | 'NOT';
  readonly conditions: readonly EmailFilter[];
}
export type EmailFilter = EmailCondition | EmailOperator;

export interface Comparator {
  readonly property: string;
  readonly isAscending?: boolean;
  readonly keyword?: string;
  readonly collation?: string;
}

export interface SetError {
  readonly type: string;
  readonly description?: string;
  readonly properties?: readonly string[];
  readonly existingId?: Id;
}

export interface GetResponse<T> {
  readonly accountId: Id;
  readonly state: string;
  readonly list: readonly T[];
  readonly notFound: readonly Id[];
}
export interface SetResponse<T> {
  readonly accountId: Id;
  readonly oldState: string | null;
  readonly newState: string;
  readonly created?: Readonly<Record<string, Partial<T> & { readonly id: Id }>> | null;
  readonly updated?: Readonly<Record<Id, Partial<T> | null>> | null;
  readonly destroyed?: readonly Id[] | null;
  readonly notCreated?: Readonly<Record<string, SetError>> | null;
  readonly notUpdated?: Readonly<Record<Id, SetError>> | null;
  readonly notDestroyed?: Readonly<Record<Id, SetError>> | null;
}
export interface ChangesResponse {
  readonly accountId: Id;
  readonly oldState: string;
  readonly newState: string;
  readonly hasMoreChanges: boolean;
  readonly created: readonly Id[];
  readonly updated: readonly Id[];
  readonly destroyed: readonly Id[];
  /** Of Mailbox/changes alone. */
  readonly updatedProperties?: readonly string[] | null;
}
export interface QueryResponse {
  readonly accountId: Id;
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
  readonly position: number;
  readonly ids: readonly Id[];
  readonly total?: number;
  readonly limit?: number;
}
export interface QueryChangesResponse {
  readonly accountId: Id;
  readonly oldQueryState: string;
  readonly newQueryState: string;
  readonly total?: number;
  readonly removed: readonly Id[];
  readonly added: readonly { readonly id: Id; readonly index: number }[];
}
export interface ParseResponse {
  readonly accountId: Id;
  readonly parsed: Readonly<Record<Id, ParsedEmail>> | null;
  readonly notParsable: readonly Id[] | null;
  readonly notFound: readonly Id[] | null;
}
export interface SnippetResponse {
  readonly accountId: Id;
  readonly list: readonly SearchSnippet[];
  readonly notFound: readonly Id[] | null;
}
export interface ImportResponse {
  readonly accountId: Id;
  readonly oldState: string | null;
  readonly newState: string;
  readonly created: Readonly<Record<string, Pick<Email, 'id' | 'blobId' | 'threadId' | 'size'>>> | null;
  readonly notCreated: Readonly<Record<string, SetError>> | null;
}

/** What each method answers. */
export interface Answers {
  'Blob/copy': {
    readonly copied: Readonly<Record<Id, Id>> | null;
    readonly notCopied: Readonly<Record<Id, SetError>> | null;
  };
  'Mailbox/get': GetResponse<Mailbox>;
  'Mailbox/changes': ChangesResponse;
  'Mailbox/query': QueryResponse;
  'Mailbox/set': SetResponse<Mailbox>;
  'Thread/get': GetResponse<Thread>;
  'Thread/changes': ChangesResponse;
  'Email/get': GetResponse<Email>;
  'Email/changes': ChangesResponse;
  'Email/query': QueryResponse;
  'Email/queryChanges': QueryChangesResponse;
  'Email/set': SetResponse<Email>;
  'Email/import': ImportResponse;
  'Email/parse': ParseResponse;
  'SearchSnippet/get': SnippetResponse;
  'Identity/get': GetResponse<Identity>;
  'Identity/changes': ChangesResponse;
  'Identity/set': SetResponse<Identity>;
  'EmailSubmission/get': GetResponse<EmailSubmission>;
  'EmailSubmission/changes': ChangesResponse;
  'EmailSubmission/query': QueryResponse;
  'EmailSubmission/set': SetResponse<EmailSubmission>;
  'VacationResponse/get': GetResponse<VacationResponse>;
  'VacationResponse/set': SetResponse<VacationResponse>;
  'Quota/get': GetResponse<Quota>;
  'SieveScript/get': GetResponse<SieveScript>;
  'SieveScript/query': QueryResponse;
  'SieveScript/set': SetResponse<SieveScript>;
  'SieveScript/validate': { readonly accountId: Id; readonly error: SetError | null };
  'PushSubscription/get': GetResponse<{
    readonly id: Id;
    readonly deviceClientId: string;
    readonly expires: string | null;
  }>;
  'PushSubscription/set': SetResponse<{ readonly id: Id; readonly expires: string | null }>;
}
export type MethodName = keyof Answers;
