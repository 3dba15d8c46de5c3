import { method, type Method } from './context.ts';
import { CAPABILITY } from './limits.ts';
import { emailGetMethods } from './methods/email-get.ts';
import { emailQueryMethods } from './methods/email-query.ts';
import { mailboxMethods } from './methods/mailbox.ts';
import { threadMethods } from './methods/thread.ts';

/** RFC 8620 section 4. */
const echo = method('Core/echo', CAPABILITY.core, (_context, args) => Promise.resolve(args));

/** Every method there is, by name. */
export const methods: ReadonlyMap<string, Method> = new Map(
  [echo, ...mailboxMethods, ...threadMethods, ...emailGetMethods, ...emailQueryMethods].map((each) => [each.name, each]),
);
