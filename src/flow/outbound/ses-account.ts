import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Clock } from '../../base/clock.ts';
import { createAws } from '../../net/aws/client.ts';
import type { Aws, AwsSettings } from '../../net/aws/types.ts';
import type { SesApiSettings, SesSmtpSettings } from './routing/settings.ts';
import { createIdentities } from './ses-identities.ts';
import { createSesLimits, type SesLimits } from './ses-limits.ts';
import type { SenderRules } from './ses-senders.ts';

/** Milliseconds within which SES tells by an event that it took a message. */
const REPORTS_MS = 600_000;

/** What both ways over SES have of the account they go by. */
export interface SesAccess {
  readonly aws: Aws;
  readonly rules: SenderRules;
  readonly limits: SesLimits;
  /** Set where a configuration set can report what became of a message. */
  readonly reportsWithinMs: number | undefined;
}

/** Where and as whom, from the settings of a transport. */
export function awsSettingsOf(settings: SesApiSettings | SesSmtpSettings): AwsSettings {
  const { region, endpoint, profile, credentials_file: file, role_arn: roleArn, external_id } = settings;
  return {
    region,
    endpoint,
    profile,
    credentials: file === undefined ? undefined : { file },
    roleArn,
    externalId: external_id,
  };
}

/**
 * `ask`: false where the API may not be asked about the account (all we have is a password for SMTP): then SES itself has
 * to say what is too much and who may not send.
 */
export function openSesAccess(
  name: string,
  settings: SesApiSettings | SesSmtpSettings,
  more: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly ask: boolean;
    readonly aws?: Aws | undefined;
  },
): SesAccess {
  const { clock, logger } = more;
  const { region } = settings;
  const aws = more.aws ?? createAws(awsSettingsOf(settings), { clock });
  const api = more.ask ? aws.ses(settings.kind === 'ses-api' ? settings.version : 2) : undefined;
  let said = '';
  const onFailure = (error: unknown): void => {
    const text = errorText(error);
    if (text !== said) logger.warn({ transport: name, error: text }, 'ses: the account cannot be asked');
    said = text;
  };
  return {
    aws,
    rules: {
      region,
      foreignFrom: settings.foreign_from,
      identities: createIdentities(settings, api, clock, onFailure),
    },
    limits: createSesLimits(api, region, clock, onFailure),
    reportsWithinMs: settings.configuration_set === undefined ? undefined : REPORTS_MS,
  };
}
