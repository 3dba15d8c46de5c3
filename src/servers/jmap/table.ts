import { method, type Method } from './context.ts';
import { CAPABILITY } from './limits.ts';
import { blobMethods } from './methods/blob.ts';
import { emailGetMethods } from './methods/email-get.ts';
import { emailImportMethods } from './methods/email-import.ts';
import { emailQueryMethods } from './methods/email-query.ts';
import { emailSetMethods } from './methods/email-set.ts';
import { identityMethods } from './methods/identity.ts';
import { mailboxMethods } from './methods/mailbox.ts';
import { pushMethods } from './methods/push-subscription.ts';
import { quotaMethods } from './methods/quota.ts';
import { sieveMethods } from './methods/sieve.ts';
import { snippetMethods } from './methods/snippet.ts';
import { submissionMethods } from './methods/submission.ts';
import { threadMethods } from './methods/thread.ts';
import { vacationMethods } from './methods/vacation.ts';

/** RFC 8620 section 4. */
const echo = method('Core/echo', CAPABILITY.core, (_context, args) => Promise.resolve(args));

/** Every method there is, by name. */
export const methods: ReadonlyMap<string, Method> = new Map(
  [
    echo,
    ...mailboxMethods,
    ...threadMethods,
    ...emailGetMethods,
    ...emailQueryMethods,
    ...emailSetMethods,
    ...emailImportMethods,
    ...identityMethods,
    ...submissionMethods,
    ...vacationMethods,
    ...snippetMethods,
    ...blobMethods,
    ...quotaMethods,
    ...pushMethods,
    ...sieveMethods,
  ].map((each) => [each.name, each]),
);
