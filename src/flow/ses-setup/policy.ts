/** As much of IAM's language as it takes to see whether a resource policy lets a service do something. */

export interface Asked {
  /** "ses.amazonaws.com". */
  readonly service: string;
  /** "s3:PutObject". */
  readonly action: string;
  /** ARN of what it is done to. */
  readonly resource: string;
  /** ARN of the topic or rule set on whose behalf; undefined: conditions are not looked at. */
  readonly source?: string | undefined;
}

export interface Allowed {
  readonly allowed: boolean;
  /** Some condition says on whose behalf: nobody else's rules or topics may use the permission. */
  readonly bound: boolean;
}

type Unread = Readonly<Record<string, unknown>>;

/** A policy that cannot be read allows nothing. */
export function policyAllows(policy: string | undefined, asked: Asked): Allowed {
  const matching = statements(policy).filter((statement) => covers(statement, asked));
  return { allowed: matching.length > 0, bound: matching.every(isBound) };
}

function statements(policy: string | undefined): Unread[] {
  let value: unknown;
  try {
    value = JSON.parse(policy ?? '');
  } catch {
    return [];
  }
  return isMap(value) ? list(value['Statement']).filter(isMap) : [];
}

function isMap(value: unknown): value is Unread {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** IAM writes one of a thing with or without a list around it. */
function list(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function covers(statement: Unread, { service, action, resource, source }: Asked): boolean {
  return (
    statement['Effect'] === 'Allow' &&
    isFor(statement['Principal'], service) &&
    list(statement['Action']).some((one) => like(String(one).toLowerCase(), action.toLowerCase())) &&
    list(statement['Resource']).some((one) => like(String(one), resource)) &&
    (source === undefined || sourceFits(statement['Condition'], source))
  );
}

function isFor(principal: unknown, service: string): boolean {
  if (principal === '*') return true;
  if (!isMap(principal)) return false;
  return list(principal['AWS']).includes('*') || list(principal['Service']).includes(service);
}

/** Conditions as lower-case key and values, whatever their operator. */
function tests(condition: unknown): [key: string, values: readonly unknown[]][] {
  if (!isMap(condition)) return [];
  return Object.values(condition)
    .filter(isMap)
    .flatMap((test) =>
      Object.entries(test).map(([key, values]) => [key.toLowerCase(), list(values)] as [string, unknown[]]),
    );
}

function sourceFits(condition: unknown, source: string): boolean {
  return tests(condition)
    .filter(([key]) => key === 'aws:sourcearn')
    .every(([, values]) => values.some((value) => like(String(value), source)));
}

const BINDING = new Set(['aws:sourcearn', 'aws:sourceaccount', 'aws:sourceowner', 'aws:referer']);

function isBound(statement: Unread): boolean {
  return tests(statement['Condition']).some(([key]) => BINDING.has(key));
}

/** "*" is any text, "?" any character. Linear but for the product of the lengths, which IAM bounds. */
export function like(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (
      from < pattern.length &&
      (pattern[from] === '?' || pattern[from] === text[at]) &&
      pattern[from] !== '*'
    ) {
      at++;
      from++;
    } else if (pattern[from] === '*') {
      star = from++;
      resume = at;
    } else if (star >= 0) {
      from = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[from] === '*') from++;
  return from === pattern.length;
}
