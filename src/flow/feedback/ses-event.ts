import { z } from 'zod';

/**
 * What SES publishes about mail it sent (event publishing, and the older bounce and complaint notifications, which name
 * the kind `notificationType`). Unknown members are left alone; kinds of no interest have no reading.
 */

const text = z.string().max(20_000);
const address = z.string().max(1000);

const schema = z.object({
  eventType: text.optional(),
  notificationType: text.optional(),
  mail: z.object({
    messageId: z.string().min(1).max(500),
    source: address.optional(),
    destination: z.array(address).max(1000).optional(),
    tags: z.record(z.string(), z.array(text)).optional(),
    commonHeaders: z
      .object({
        subject: text.optional(),
        messageId: text.optional(),
        from: z.array(text).optional(),
        date: text.optional(),
      })
      .optional(),
  }),
  bounce: z
    .object({
      bounceType: text,
      bounceSubType: text.optional(),
      feedbackId: text.optional(),
      reportingMTA: text.optional(),
      bouncedRecipients: z
        .array(
          z.object({
            emailAddress: address,
            status: text.optional(),
            diagnosticCode: text.optional(),
          }),
        )
        .max(1000),
    })
    .optional(),
  complaint: z
    .object({
      feedbackId: text.optional(),
      complaintFeedbackType: text.optional(),
      userAgent: text.optional(),
      complainedRecipients: z.array(z.object({ emailAddress: address })).max(1000),
    })
    .optional(),
  delivery: z
    .object({ recipients: z.array(address).max(1000).optional(), smtpResponse: text.optional() })
    .optional(),
  deliveryDelay: z
    .object({
      delayType: text.optional(),
      delayedRecipients: z
        .array(z.object({ emailAddress: address, diagnosticCode: text.optional() }))
        .max(1000)
        .optional(),
    })
    .optional(),
  reject: z.object({ reason: text.optional() }).optional(),
});

/** One report of what became of a message; `recipients` with their words. */
export interface SesEvent {
  readonly kind: 'sent' | 'delivered' | 'delayed' | 'bounced' | 'complained' | 'rejected';
  readonly messageId: string;
  /** Our own tag of the call. */
  readonly tag: string | undefined;
  /** Everybody the call was for. */
  readonly destination: readonly string[];
  /** Addresses, and what was said of each. */
  readonly recipients: readonly { readonly address: string; readonly words: string }[];
  /** For a bounce: there is no such mailbox, as opposed to one that does not work now. */
  readonly permanent: boolean;
  /** Who said it. */
  readonly by: string;
  /** Of the message, where the event has it. */
  readonly subject: string | undefined;
}

/** Name of the tag by which SES repeats `Attempt.tag`. */
export const ATTEMPT_TAG = 'postern-attempt';

/** Whether a notice is one of these, whatever else is in it. */
export function isSesEvent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('mail' in value)) return false;
  return 'eventType' in value || ('notificationType' in value && value.notificationType !== 'Received');
}

/** Undefined: a kind of no interest, or none of theirs. */
export function readSesEvent(value: unknown): SesEvent | undefined {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return undefined;
  const { mail, bounce, complaint, delivery, deliveryDelay, reject, ...kinds } = parsed.data;
  const about = {
    messageId: mail.messageId,
    tag: mail.tags?.[ATTEMPT_TAG]?.[0],
    subject: mail.commonHeaders?.subject,
    destination: mail.destination ?? [],
    permanent: false,
    by: 'Amazon SES',
  };
  const everybody = (words: string): SesEvent['recipients'] =>
    (mail.destination ?? []).map((one) => ({ address: one, words }));
  switch (kinds.eventType ?? kinds.notificationType) {
    case 'Send':
      return { ...about, kind: 'sent', recipients: everybody('') };
    case 'Delivery':
      return {
        ...about,
        kind: 'delivered',
        recipients: (delivery?.recipients ?? []).map((one) => ({
          address: one,
          words: delivery?.smtpResponse ?? '',
        })),
      };
    case 'DeliveryDelay':
      return {
        ...about,
        kind: 'delayed',
        recipients: (deliveryDelay?.delayedRecipients ?? []).map(({ emailAddress, diagnosticCode }) => ({
          address: emailAddress,
          words: diagnosticCode ?? deliveryDelay?.delayType ?? '',
        })),
      };
    case 'Bounce':
      return bounce && { ...about, kind: 'bounced', ...bounced(bounce) };
    case 'Complaint':
      return (
        complaint && {
          ...about,
          kind: 'complained',
          recipients: complaint.complainedRecipients.map(({ emailAddress }) => ({
            address: emailAddress,
            words: complaint.complaintFeedbackType ?? 'a complaint',
          })),
          by: complaint.userAgent ?? about.by,
        }
      );
    case 'Reject':
    case 'Rendering Failure':
      return {
        ...about,
        kind: 'rejected',
        recipients: everybody(reject?.reason ?? 'SES rejected the message'),
      };
    default:
      return undefined;
  }
}

function bounced(
  bounce: NonNullable<z.output<typeof schema>['bounce']>,
): Pick<SesEvent, 'recipients' | 'permanent' | 'by'> {
  const { bounceType, bounceSubType, reportingMTA, bouncedRecipients } = bounce;
  const kind = [bounceType, bounceSubType].filter((one) => one !== undefined).join(', ');
  return {
    permanent: bounceType === 'Permanent',
    by: reportingMTA?.replace(/^dns;\s?/i, '') ?? 'Amazon SES',
    recipients: bouncedRecipients.map(({ emailAddress, status, diagnosticCode }) => ({
      address: emailAddress,
      words: diagnosticCode?.replace(/^smtp;\s?/i, '') ?? [status, kind].filter(Boolean).join(' '),
    })),
  };
}
