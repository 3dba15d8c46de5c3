/** How backups went, as the server remembers it; times are milliseconds since the epoch. JSON in the setting 'backup.state'. */
export interface BackupState {
  /** When one was begun last, whatever became of it. */
  readonly triedAt?: number | undefined;
  readonly success?: BackupSuccess | undefined;
  /** Of the last try, when it failed. */
  readonly failure?: { readonly at: number; readonly message: string } | undefined;
  readonly drill?: DrillState | undefined;
}

export interface BackupSuccess {
  readonly at: number;
  readonly snapshot: string;
  /** Octets that can be restored, and those that were new. */
  readonly bytes: number;
  readonly added: number;
  readonly emails: number;
  readonly tookMs: number;
  /** Backups that lie there. */
  readonly snapshots: number;
  /** What could not be taken along. */
  readonly problems: readonly string[];
}

export interface DrillState {
  readonly at: number;
  readonly ok: boolean;
  readonly snapshot: string;
  readonly snapshotAt: number;
  readonly mailboxes: number;
  readonly messages: number;
  /** Messages that were compared with the server's own. */
  readonly compared: number;
  readonly tookMs: number;
  readonly problems: readonly string[];
}
