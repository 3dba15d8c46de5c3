import { toAwsError } from './errors.ts';
import { NoAnswer } from './http.ts';
import { asSource, BadSource, type Encoding, withMessage } from './ses-body.ts';
import type { SesSource } from './types.ts';

/** As much of the SDK's middleware as is needed to put the message in. */
interface Stack {
  add(
    middleware: (next: (args: never) => Promise<never>) => (args: never) => Promise<never>,
    options: { readonly step: 'build'; readonly name: string },
  ): void;
}

/** Have the message put into the request of this command. */
type Use = (stack: unknown, raw: Buffer | SesSource, encoding: Encoding) => void;

/**
 * One call that sends mail, made once. An answer that says yes and breaks off behind its first line is a yes without a
 * message id: to try again would send the mail twice. Throws what the source of the message throws before anything left.
 */
export async function sendOnce(
  what: string,
  call: (use: Use) => Promise<string | undefined>,
): Promise<{ messageId: string }> {
  try {
    return { messageId: (await call(putIn)) ?? '' };
  } catch (error) {
    const status = statusOf(error);
    if (status !== undefined && Math.floor(status / 100) === 2) return { messageId: '' };
    // What the source of the message throws is no word of Amazon's.
    if (error instanceof BadSource) throw error.cause;
    throw toAwsError(error, what, { effect: true });
  }
}

/** Status of the answer, whatever came behind its first line. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof NoAnswer) return error.status;
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const status = (error.$metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

const putIn: Use = (stack, raw, encoding) => {
  const source = asSource(raw);
  (stack as Stack).add(
    (next) => async (args: { request: { headers: Record<string, string>; body?: unknown } }) => {
      await withMessage(args.request, source, encoding);
      return next(args as never);
    },
    { step: 'build', name: 'posternMessage' },
  );
};
