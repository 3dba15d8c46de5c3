import { z } from 'zod';
import type { DiskReserve } from '../../../base/disk-reserve.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { LoginGuard } from '../../../data/bans/guard.ts';
import type { AcmeCertificate } from '../../../data/certificates/types.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { LiveJournal } from '../../../data/journal/live.ts';
import type { OpenStore } from '../../../data/open.ts';
import type { SearchIndex } from '../../../data/search/types.ts';
import type { Backups } from '../../../flow/backup/service.ts';
import type { DoctorService } from '../../../flow/doctor/service.ts';
import type { Lookup } from '../../../flow/lookup/lookup.ts';
import type { ScriptEngine } from '../../../flow/sieve/engine-types.ts';
import type { Ways } from '../../../flow/outbound/routing/ways.ts';
import type { SesInbound } from '../../../flow/ses-inbound/service.ts';
import type { SesRegion } from '../../../flow/ses-setup/places.ts';
import type { SesStatus } from '../../../flow/ses-setup/status.ts';
import type { OutgoingWatch } from '../../../flow/submission/outgoing.ts';
import type { ServerFacts } from '../facts.ts';

/** What the operations work with. */
export interface AdminContext {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'bodies' | 'blobs' | 'reopened'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly facts: ServerFacts;
  /** Told of what administrators change of bans. */
  readonly guard?: Pick<LoginGuard, 'adopt' | 'lifted' | 'useExemptions' | 'settled'> | undefined;
  /** Told of the end of a hold. */
  readonly outgoing?: Pick<OutgoingWatch, 'released' | 'flush'> | undefined;
  readonly filter?: FilterHooks | undefined;
  readonly intake?: IntakeHooks | undefined;
  readonly certificates?: CertificateHooks | undefined;
  readonly backups?: Backups | undefined;
  /** The ways to send of the running server. */
  readonly ways?: Ways | undefined;
  readonly doctor?: Pick<DoctorService, 'run' | 'rotate'> | undefined;
  readonly housekeeping?: HousekeepingHooks | undefined;
  /** The search index. */
  readonly search?: SearchIndex | undefined;
  readonly alerts?: AlertHooks | undefined;
  /** Events as they happen. */
  readonly watch?: Pick<LiveJournal, 'listen'> | undefined;
  /** Hands in a message as one of an account would. */
  readonly probe?: ProbeHooks | undefined;
  /** Told when what the journal and the log keep has changed. */
  readonly journal?: { changed(): Promise<void> } | undefined;
  /** What reads Sieve scripts beside the event loop; undefined: they are read in place. */
  readonly scripts?: Pick<ScriptEngine, 'check'> | undefined;
  /** Postfix lookup tables. */
  readonly lookup?: Lookup | undefined;
  /** Asks Amazon how SES stands. */
  readonly ses?: SesHooks | undefined;
}

/** A look at what Amazon and DNS have; changes nothing. */
export interface SesHooks {
  look(
    region: SesRegion,
    ours: { readonly domains: readonly string[]; readonly host: string },
  ): Promise<SesStatus>;
}

/** A message that shows whether mail goes out. */
export interface ProbeHooks {
  /** Send a plain message; resolves with its trace. Refusals as a submission has them. */
  send(message: { from: string; to: string; subject: string; text: string }): Promise<{ trace: string }>;
}

/** What is done so that disks and mailboxes do not fill. */
export interface HousekeepingHooks {
  /** The settings have changed. */
  changed(): Promise<void>;
  readonly disk: Pick<DiskReserve, 'state'>;
}

/** Who is told of trouble, and how. */
export interface AlertHooks {
  /** Send a mail and a webhook that say nothing but that they come. `webhook`: why it was not taken; '' when it was. */
  test(): Promise<{
    readonly mailed: readonly string[];
    readonly queued: readonly string[];
    readonly webhook: string | undefined;
  }>;
}

/** What administrators have done about certificates at once, and see of them. */
export interface CertificateHooks {
  /** The settings have changed. */
  changed(): Promise<void>;
  /** All that are wanted or there; `wanted`: names, empty for one that is wanted no longer. */
  states(): Promise<
    readonly {
      readonly name: string;
      readonly wanted: readonly string[];
      readonly have: AcmeCertificate | undefined;
    }[]
  >;
  /** Request these now; without names those that are due or have failed. */
  renew(
    names: readonly string[],
  ): Promise<readonly { readonly name: string; readonly notAfter?: number; readonly failure?: string }[]>;
  /** URL of the authority's terms of service. */
  terms(): Promise<string | undefined>;
  /** What somebody has to do something about. */
  problems(): readonly string[];
}

/** What administrators have the intake do at once, and see of it. */
export type IntakeHooks = Pick<
  SesInbound,
  'settings' | 'status' | 'alarmSince' | 'oldest' | 'takeIn' | 'sweep' | 'changed'
>;

/** What administrators have the filter do at once. */
export interface FilterHooks {
  /** Learn a message, for one account or for the site alone. */
  teach(octets: Buffer, label: 'ham' | 'spam', accountId: number | undefined): Promise<void>;
  /** Its settings have changed. */
  changed(): Promise<unknown>;
  readonly enabled: boolean;
  /** From which probability mail would go to Junk by that knob now; undefined: it cannot be told. */
  threshold?(goodPerJunked: number): Promise<number | undefined>;
  /** Filters beside it, as they answered last. */
  partners(): readonly { readonly name: string; readonly up: boolean; readonly problem: string }[];
  /** DNS lists and how they do. */
  lists(): readonly { readonly zone: string; readonly state: string; readonly why: string | undefined }[];
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/**
 * One administrative operation: a row from which the server makes its route, the command line its request, and (later)
 * the OpenAPI document its entry. `input` holds the parameters of the path together with those of the query (GET,
 * DELETE) or the JSON body (POST, PUT); `output` also decides what leaves the server: what it does not name is cut.
 */
export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly method: Method;
  /** Below `API_PREFIX`, parameters as `:name`. */
  readonly path: string;
  readonly summary: string;
  readonly input: I;
  readonly output: O;
  /**
   * Who may. `domain`: administrators of a domain too, and the operation shows them what is theirs (scope.ts);
   * `store-decides`: the same, and the store judges the change once more.
   */
  readonly access: 'administrator' | 'domain' | 'store-decides';
  /** Addresses and domains in the input that a domain administrator may only name when they are theirs. */
  within?(input: z.output<I>): readonly (string | null | undefined)[];
  /** What the audit is told once it is done, where no write of the store tells it. */
  audited?(input: z.output<I>): Audited;
  run(context: AdminContext, input: z.output<I>, actor: Actor): Promise<z.input<O>>;
}

export interface Audited {
  readonly action: `${string}.${string}`;
  readonly subject: string;
  readonly data?: Readonly<Record<string, string | number>>;
}

/** Path of the API on the socket; a later version of it would stand beside this one. */
export const API_PREFIX = '/admin/v1';

export function operation<I extends z.ZodType, O extends z.ZodType>(row: Operation<I, O>): Operation<I, O> {
  return row;
}

/** Whether an operation's input travels in the query instead of a JSON body. */
export function inputInQuery(method: Method): boolean {
  return method === 'GET' || method === 'DELETE';
}

/** The answer of operations that have nothing to tell. */
export const done = z.object({ ok: z.literal(true) });
export const OK: z.output<typeof done> = { ok: true };
