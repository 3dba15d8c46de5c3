/** When a test of the suite says nothing about this server: by what its text does, never by how it ended. */
export interface Rule {
  readonly id: string;
  readonly why: string;
  /** In the text of the test and its attributes, comments left out. */
  readonly pattern: RegExp;
}

export const RULES: readonly Rule[] = [
  {
    id: 'old version',
    why: 'the suite itself runs it only with versions of Cyrus before 3.5',
    pattern: /:max_version_/,
  },
  {
    id: 'replication',
    why: 'it compares two Cyrus instances that replicate',
    pattern: /:needs_component_replication|run_replication|check_replication|\{replica\}/,
  },
  {
    id: 'programs of Cyrus',
    why: 'it runs programs of Cyrus on its data directory (the indexer squatter is passed over)',
    pattern:
      /run_command\((?![^;]{0,80}'squatter')|run_mbpath|unpackfile|folder_to_directory|get_sieve_script_dir|run_delayed_expunge/,
  },
  {
    id: 'logs and notifications of Cyrus',
    why: "it reads Cyrus's log, its notification socket or its database of alarms",
    pattern: /getsyslog|getnotify|assert_syslog|calalarmd/,
  },
  {
    id: 'settings of Cyrus',
    why: 'it sets settings of imapd.conf, or starts the instance with them, or counts on its limits of one kilobyte',
    pattern:
      /:NoStartInstances|_start_instances|:HttpJWTAuthRSA|:TLS\b|:LowEmailLimits|:ConversationMaxThread10|:AllowDeleted|:DelayedExpunge|:ImmediateDelete|:ReverseACLs|:MagicPlus|maxKeywordsPerEmail|:MailboxLegacyDirs|:SearchAttachmentExtractor|:SearchSetForceScanMode|:SearchNormalizationMax|:SearchMaxTime|:SearchMaxSize|:SearchLanguage|:JMAPQueryCacheMaxAge1s|:JMAPNoHasAttachment|:AllowMoves|'X' x 1025/,
  },
  {
    id: 'scripted SMTP server',
    why: "it gives the suite's own SMTP server answers that carry error names for Cyrus",
    pattern: /set_smtpd|:want_smtpdaemon/,
  },
  {
    id: 'charset guessing',
    why: 'it needs a library with which Cyrus guesses charsets or languages',
    pattern: /:needs_dependency_(?:chardet|cld2)/,
  },
  {
    id: 'quota administration',
    why: "it sets quotas by IMAP SETQUOTA as Cyrus's administrator",
    pattern: /setquota|_set_limits|_set_quota/,
  },
  {
    id: 'annotations',
    why: 'it sets annotations of Cyrus by IMAP',
    pattern: /setmetadata|getmetadata/,
  },
  {
    id: 'Sieve of Cyrus',
    why: 'its script uses Sieve extensions of Cyrus (vnd.cyrus or x-cyrus)',
    pattern: /(?:x-cyrus|vnd\.cyrus)-?\w*/,
  },
  {
    id: 'calendars and contacts',
    why: 'there are no calendars and contacts in this server',
    pattern:
      /\b(?:Calendar|CalendarEvent|Contact|ContactGroup|ContactCard|AddressBook|Note)\/(?:get|set|query|changes|copy|parse)|calendarEvents|\{(?:caldav|carddav)\}|[fF]romContactGroupId|[tT]oContactGroupId|fromAnyContact|toAnyContact|Notes'/,
  },
  {
    id: 'content ids',
    why: 'it counts on ids of blobs that Cyrus makes of hashes of their contents',
    pattern: /'G[0-9a-f]{40}'|\^G[0-9a-f]{20}/,
  },
  {
    id: 'mailboxes by role',
    why: 'it names mailboxes by their roles instead of ids ("$drafts"), or uses special uses of Cyrus',
    pattern:
      /['"]\$(?:drafts|trash|sent|archive|xnotes)['"]|\\XNotes|#jmap\b|x-special|xspecialuse|xchats|xtemplates/i,
  },
  {
    id: 'snooze',
    why: 'it uses the extension of Cyrus that puts mail off until later',
    pattern: /\bsnooz/i,
  },
  {
    id: 'debug and performance',
    why: 'it asks for what only the debug and performance extensions of Cyrus answer',
    pattern:
      /ns\/jmap\/(?:debug|backup)|performance\}|wantCacheUse|disableGuidSearch|isGuidSearch|guidsearch/,
  },
  {
    id: 'properties of Cyrus',
    why: 'it uses properties, filters, sorts or methods that are in no RFC (https://cyrusimap.org/ns/jmap/...)',
    pattern:
      /\b(?:createdBefore|createdAfter|addedDates|deliveredTo|isDeleted|trustedSender|createdModseq|maxMailboxesPerEmail|bimiBlobId|previousCalendarEvent|imageSize|calendarEvents|attachmentName|attachmentType|listId|isHighPriority|matchMime|convInThread|findAllInThread|shareWith|isSeenShared|showAsLabel|autoLearn|autoPurge|suggestedColor|hidden\b.{0,20}JSON|isCollapsed|identityRef|onDestroyMoveToMailboxIfNoOtherwise|onDestroyMoveToMailbox|onSend\b|updatedCount|allInThread[A-Z]\w*Cyrus|storageUsed|totalStorage)|SieveScript\/test|["'](?:language|messageId|references|inReplyTo|subjectIsEmpty|fromListId)["']?\s*=>\s*['"][^'"]*['"],?\s*\}\s*,?\s*(?:sort|\}|,)/,
  },
];

/** Text of Perl without comments and the messages of xlog. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*#(?!!).*$/gm, '').replace(/^\s*xlog .*$/gm, '');
}

export function ruleOf(text: string): Rule | undefined {
  const bare = withoutComments(text);
  return RULES.find(({ pattern }) => pattern.test(bare));
}
