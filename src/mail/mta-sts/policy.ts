/** The policy file of MTA-STS (RFC 8461 section 3.2) and whom it names (section 4.1). */

import { trimBlanks } from './record.ts';

export type StsMode = 'enforce' | 'testing' | 'none';

export interface StsPolicy {
  readonly mode: StsMode;
  /** Seconds it may be kept. */
  readonly maxAge: number;
  /** Names, or "*." and a name, in lower case. */
  readonly mx: readonly string[];
  /** Its lines as they stand in the file, for reports (RFC 8460 section 4.4). */
  readonly lines: readonly string[];
}

export type StsParsed =
  | { readonly status: 'ok'; readonly policy: StsPolicy }
  | { readonly status: 'invalid'; readonly reason: string };

export const STS_LIMITS = {
  /** Octets of a policy file that are read (RFC 8461 section 3.3 suggests 64 KiB). */
  policyBytes: 64 * 1024,
  /** Lines of it. */
  lines: 1000,
  /** Patterns of hosts. */
  mx: 500,
  /** Seconds of max_age at most: about a year (section 3.2). */
  maxAge: 31_557_600,
} as const;

const HOST_PATTERN =
  /^(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;
const FIELD_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
const MODES: readonly StsMode[] = ['enforce', 'testing', 'none'];

/**
 * Read a policy file. Strict where a mistake could weaken or break delivery; unknown fields are passed over, and of a
 * field that is there twice, `mx` aside, the first counts (section 3.2).
 */
export function parseStsPolicy(file: Buffer): StsParsed {
  if (file.length > STS_LIMITS.policyBytes) return invalid('the policy is longer than 64 KiB');
  const lines = file.toString('latin1').split(/\r?\n/, STS_LIMITS.lines + 1);
  while (lines.at(-1)?.trim() === '') lines.pop();
  if (lines.length > STS_LIMITS.lines) return invalid('the policy has too many lines');
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of lines) {
    const at = line.indexOf(':');
    const name = trimBlanks(line.slice(0, Math.max(at, 0)));
    const value = trimBlanks(line.slice(at + 1));
    if (!FIELD_NAME.test(name)) return invalid(`a line is no field: ${JSON.stringify(line.slice(0, 40))}`);
    if (name === 'mx') mx.push(value.toLowerCase());
    else if (!fields.has(name)) fields.set(name, value);
  }
  return checked(fields, mx, lines);
}

function checked(
  fields: ReadonlyMap<string, string>,
  mx: readonly string[],
  lines: readonly string[],
): StsParsed {
  if (fields.get('version') !== 'STSv1') return invalid('its version is not STSv1');
  const mode = MODES.find((each) => each === fields.get('mode'));
  if (mode === undefined) return invalid('its mode is none of enforce, testing and none');
  const age = fields.get('max_age') ?? '';
  if (!/^\d{1,10}$/.test(age)) return invalid('its max_age is no number of seconds');
  if (mx.length > STS_LIMITS.mx) return invalid('it names too many hosts');
  if (mx.length === 0 && mode !== 'none') return invalid('it names no mx');
  const bad = mx.find((pattern) => pattern.length > 253 || !HOST_PATTERN.test(pattern));
  if (bad !== undefined) return invalid(`its mx ${JSON.stringify(bad.slice(0, 60))} is no host name`);
  const maxAge = Math.min(Number(age), STS_LIMITS.maxAge);
  return { status: 'ok', policy: { mode, maxAge, mx, lines } };
}

function invalid(reason: string): StsParsed {
  return { status: 'invalid', reason };
}

/** Whether a policy names an MX host (section 4.1): "*." stands for exactly one label. Letter case is ignored. */
export function stsNames(policy: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase();
  const dot = name.indexOf('.');
  const above = dot > 0 ? name.slice(dot + 1) : undefined;
  return policy.mx.some((pattern) =>
    pattern.startsWith('*.') ? above !== undefined && above === pattern.slice(2) : pattern === name,
  );
}
