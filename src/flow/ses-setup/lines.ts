import { errorText } from '../../base/errors.ts';
import { AwsError } from '../../net/aws/types.ts';
import type { StatusArea, StatusLine } from './types.ts';

/** What a check is about; its outcome makes it a line. */
export interface Topic {
  readonly area: StatusArea;
  readonly subject: string;
  readonly why: string;
}

export function ok(topic: Topic, found: string): StatusLine {
  return { ...topic, state: 'ok', found, mend: [] };
}

export function problem(topic: Topic, found: string, ...mend: readonly string[]): StatusLine {
  return { ...topic, state: 'problem', found, mend };
}

export function unknown(topic: Topic, found: string, ...mend: readonly string[]): StatusLine {
  return { ...topic, state: 'unknown', found, mend };
}

/** The lines of a check, or one that says why it could not be made. `permission`: the IAM action that it needs. */
export async function attempt(
  topic: Topic,
  permission: string,
  check: () => Promise<readonly StatusLine[]>,
): Promise<readonly StatusLine[]> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return [failed(topic, permission, error)];
  }
}

/** A call that failed: not allowed, or not answered. */
export function failed(topic: Topic, permission: string, error: AwsError): StatusLine {
  const found = errorText(error);
  if (error.kind !== 'auth') return unknown(topic, found, 'Try again: postern ses status');
  return unknown(
    topic,
    found,
    `Allow ${permission} to the user or role that Postern uses; the template of "postern ses template" does.`,
  );
}
