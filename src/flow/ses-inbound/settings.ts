import { z } from 'zod';

/**
 * Where mail waits that Amazon SES took for us. Data, not configuration: kept as JSON in the store (setting 'intake'),
 * changed at run time through the admin API, shown and set by `postern intake`. What is left out has its default.
 */

/** SQS keeps a message for 14 days, and so does the template's dead-letter queue. */
const DAYS_MAX = 14;

const file = z.string().max(1024);
const arn = (what: string, form: RegExp) =>
  z
    .string()
    .max(512)
    .regex(form, { error: `it takes the ARN of ${what}` });
const url = (example: string) =>
  z
    .string()
    .max(1024)
    .refine((text) => text === '' || URL.parse(text)?.protocol.startsWith('http') === true, {
      error: `it takes a URL such as ${example}`,
    });

export const intakeSourceSchema = z.strictObject({
  /** A word of your own, for commands and logs. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, { error: 'it takes small letters, digits and hyphens' }),
  enabled: z.boolean().prefault(true),
  region: z.string().regex(/^[a-z0-9-]{1,40}$/, { error: 'it takes a region such as eu-west-1' }),
  /** Where SES puts mail; '': none comes in here, there are events about mail that was sent. */
  bucket: z.union([z.literal(''), z.string().min(3).max(63)]).prefault(''),
  prefix: z.string().max(512).prefault('new/'),
  /** Topics whose notices are believed, at the HTTPS endpoint and in the queues. Empty: no notices by HTTPS. */
  topic_arns: z
    .array(
      arn(
        'a topic, such as arn:aws:sns:eu-west-1:123456789012:new-mail',
        /^arn:aws(?:-[a-z]+){0,2}:sns:[a-z0-9-]+:\d{12}:[\w.-]+$/,
      ),
    )
    .max(20)
    .prefault([]),
  /** File with "user:password" that SNS gives with its requests; '' for none. */
  basic_auth_file: file.prefault(''),
  /** Queue that is subscribed to the topic (with or without raw delivery); '': none is polled. */
  queue_url: url('https://sqs.eu-west-1.amazonaws.com/123456789012/new-mail').prefault(''),
  /** Where SNS puts what it could not deliver; '' for none. */
  dead_letter_queue_url: url('https://sqs.eu-west-1.amazonaws.com/123456789012/new-mail-dead').prefault(''),
  /** Seconds between two looks into it. */
  dead_letter_interval: z.int().min(10).max(604_800).prefault(21_600),
  /** Minutes between two looks through the bucket; 0: none. */
  sweep_minutes: z.int().min(0).max(10_080).prefault(15),
  /** Minutes that an object may lie there before a look finds that nobody told of it. */
  sweep_after_minutes: z.int().min(0).max(10_080).prefault(10),
  /** Instead of Amazon's own: a VPC endpoint, an emulator. */
  endpoint: url('https://bucket.vpce-1a2b3c4d.s3.eu-west-1.vpce.amazonaws.com').prefault(''),
  /** File with "key:secret"; '': the SDK's own chain (environment, shared files, roles of the machine). */
  credentials_file: file.prefault(''),
  profile: z.string().max(128).prefault(''),
  role_arn: z
    .union([z.literal(''), arn('a role', /^arn:aws(?:-[a-z]+){0,2}:iam::\d{12}:role\/[\w+=,.@/-]+$/)])
    .prefault(''),
  external_id: z.string().max(1224).prefault(''),
  /** A recipient that does not exist: tell the sender, where it is proven who that is, or drop it. */
  unknown_recipients: z.enum(['bounce', 'drop']).prefault('bounce'),
  /** Where mail goes that port 25 would refuse. */
  on_refuse: z.enum(['vault', 'junk']).prefault('vault'),
  /** Days that a message stays in the bucket whose recipients could only be guessed. */
  guessed_days: z.int().min(0).max(DAYS_MAX).prefault(4),
  /** Minutes that a message stays in the bucket after everybody has it. */
  keep_minutes: z
    .int()
    .min(0)
    .max(DAYS_MAX * 1440)
    .prefault(0),
});

export const intakeSettingsSchema = z.strictObject({
  sources: z
    .array(intakeSourceSchema)
    .max(100)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, {
      error: 'two sources have the same name',
    })
    .prefault([]),
  /** Minutes from SES's reception to our commit above which there is an alarm; 0: never. */
  lag_alarm_minutes: z.int().min(0).max(10_080).prefault(30),
  /** Minutes after which a notice by HTTPS is too old to be believed; SNS tries again for about an hour. */
  notice_age_minutes: z.int().min(65).max(10_080).prefault(120),
  /** Messages that are taken in at once. */
  concurrency: z.int().min(1).max(64).prefault(4),
});

export type IntakeSettings = z.output<typeof intakeSettingsSchema>;
export type IntakeSettingsInput = z.input<typeof intakeSettingsSchema>;
export type IntakeSource = z.output<typeof intakeSourceSchema>;

export const defaultIntakeSettings: IntakeSettings = intakeSettingsSchema.parse({});
