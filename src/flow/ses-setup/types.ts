import type { Dns } from '../../mail/dns.ts';
import type { SetUpReader } from '../../net/aws/inspect.ts';

export type StatusArea = 'account' | 'identity' | 'receiving' | 'events' | 'dns';

/** One thing that has to be right for mail to flow. */
export interface StatusLine {
  readonly area: StatusArea;
  /** A domain, a queue, "sandbox". */
  readonly subject: string;
  /** `unknown`: it could not be looked at. */
  readonly state: 'ok' | 'problem' | 'unknown';
  /** What was found, one sentence. */
  readonly found: string;
  /** Why it matters, one sentence. */
  readonly why: string;
  /** Commands and DNS records that mend it, as they are to be typed; sentences where there is no command. */
  readonly mend: readonly string[];
}

export interface StatusRequest {
  readonly region: string;
  /** Normalized names. */
  readonly domains: readonly string[];
  /** Whether SES shall receive: as the only host, behind our own, not at all; `auto` finds out what is meant. */
  readonly receive: 'ses' | 'backup' | 'none' | 'auto';
  /** Name of our own host. */
  readonly host?: string | undefined;
  /** Configuration sets that our transports name. */
  readonly configurationSets: readonly string[];
  /** Where our intake looks for mail and events, in this region. */
  readonly sources: readonly {
    /** '' for none: events of sent mail come by its queue. */
    readonly bucket: string;
    readonly prefix: string;
    readonly topicArns: readonly string[];
    /** '' for none. */
    readonly queueUrl: string;
    readonly deadLetterQueueUrl: string;
  }[];
}

export interface StatusParts {
  readonly reader: SetUpReader;
  readonly dns: Dns;
  readonly request: StatusRequest;
}
