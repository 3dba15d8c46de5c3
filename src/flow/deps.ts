import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Tracer } from '../base/tracing.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { OpenStore } from '../data/open.ts';
import type { Dns } from '../mail/dns.ts';
import type { Housekeeping } from './housekeeping/types.ts';
import type { Lookup } from './lookup/lookup.ts';
import type { ReportHooks } from './report-hooks.ts';
import type { ScriptEngine } from './sieve/engine-types.ts';
import type { Filter } from './spam/filter.ts';

/** What every part of the flow is given. */
export interface FlowDeps {
  readonly store: OpenStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Background journal; the events of an accepted message go with its commit instead. */
  readonly recorder: Recorder;
  /** Undefined where no DNS may be asked (the try-out): mail still flows. */
  readonly dns: Dns | undefined;
  readonly settings: FlowSettings;
  /** What judges mail from others; undefined: all of it goes to the inbox. */
  readonly filter?: Filter | undefined;
  /** What runs Sieve scripts beside the event loop; undefined: they run in place. */
  readonly scripts?: ScriptEngine | undefined;
  /** Whether a client is banned from logging in, for guessing passwords. */
  readonly banned?: ((ip: string) => boolean) | undefined;
  /** Postfix lookup tables; undefined: the directory alone says who gets mail. */
  readonly lookup?: Lookup | undefined;
  /** Told of what is seen, for reports to others; undefined: nothing is reported. */
  readonly reports?: ReportHooks | undefined;
  /** What the server does so that disks and mailboxes do not fill; undefined: nothing. */
  readonly housekeeping?: Housekeeping | undefined;
  /** Told what takes how long; undefined: nobody wants to know. */
  readonly tracer?: Tracer | undefined;
}

/** The slice of the configuration that the flow reads. May be replaced as a whole by a reload. */
export interface FlowSettings {
  /** Our name in Received fields and DSNs. */
  readonly hostname: string;
  /** Between user and detail of a subaddress; '' for none. */
  readonly delimiter: string;
  readonly maxMessageBytes: number;
  readonly recipientsPerHour: number;
  readonly messagesPerHour: number;
  /** Milliseconds until the sender is told of a delay, and until we give up; undefined: never. */
  readonly warnAfterMs: number | undefined;
  readonly expireAfterMs: number | undefined;
  /** Set: mail to other hosts is held, for this reason. */
  readonly holdOutgoing: string | undefined;
  /** Keys of SRS addresses, newest first. */
  readonly srsKeys: readonly Buffer[];
}
