/** What a site wants of reports; read anew each time, so that a change of settings holds at once. */
export interface ReportSettings {
  /** Send DMARC aggregate reports to domains that ask for them. */
  readonly dmarc: boolean;
  /** Send TLS reports (RFC 8460). */
  readonly tls: boolean;
  /** Domains that get none, with those below them. */
  readonly optOut: readonly string[];
}

export const DAY_MS = 86_400_000;

/** Days since the epoch, in UTC: what one report is about. */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** Local part of the address that reports come from; mail to it is taken and thrown away. */
export const REPORT_SENDER = 'noreply-dmarc';

export function isOptedOut(settings: ReportSettings, domain: string): boolean {
  return settings.optOut.some((out) => domain === out || domain.endsWith(`.${out}`));
}
