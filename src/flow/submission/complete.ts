import type { Enqueue } from '../../data/queue/types.ts';
import { privateFields, visibleHeader } from '../delivery/hidden.ts';
import { destinationOf } from '../delivery/plan.ts';
import { parsedContent, type TakenMessage } from '../intake.ts';
import { type BodyTap, signMessage } from '../outbound/sign.ts';
import { receivedField } from '../trace-header.ts';
import { checkAuthors } from './author.ts';
import type { SubmissionContext } from './transaction.ts';

/** A message as it goes out: what stands before it, what of it is not shown, what its reader's header is. */
export interface Completed {
  readonly message: TakenMessage;
  readonly prefix: Buffer;
  readonly hidden: Enqueue['hidden'];
  /** Selectors of the keys that signed it. */
  readonly selectors: readonly string[];
}

/** Check the authors, complete the header, sign. Throws the refusal of an author. */
export async function complete(
  context: SubmissionContext,
  message: TakenMessage,
  body: BodyTap,
): Promise<Completed> {
  const { deps, session, login, params, trace } = context;
  const authors = await checkAuthors(deps, login, context.displayName, message.header);
  const hidden = privateFields(message.structure);
  const received = receivedField({
    session,
    hostname: deps.settings.hostname,
    trace,
    nowMs: deps.clock.now(),
    smtputf8: params.smtputf8,
    recipient: undefined,
  });
  const added = Buffer.from(authors.added);
  const visible = Buffer.concat([added, visibleHeader(message.header, hidden)]);
  const bodyHash = body.hash(message.structure.root.bodyStart);
  const signed = await signMessage(
    deps,
    [authors.fromDomain, destinationOf(login.address)],
    visible,
    bodyHash,
  );
  // What is told of the message (ENVELOPE, threading) is what its readers see: no Bcc, but the Date that was added.
  const same = added.length === 0 && hidden.length === 0;
  const content = same ? message.content : parsedContent(message.structure, visible);
  return {
    message: { ...message, content },
    prefix: Buffer.concat([signed.fields, Buffer.from(received), added]),
    hidden,
    selectors: signed.selectors,
  };
}
