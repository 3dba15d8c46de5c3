import { Refusal } from '../../base/errors.ts';
import { accessResources } from './access.ts';
import { ref } from './functions.ts';
import { RULE_NAME } from './names.ts';
import { outputs } from './outputs.ts';
import { conditions, parameterGroups, parameters } from './parameters.ts';
import { receiptRule, receiveResources } from './receive.ts';
import { identities, sendResources } from './send.ts';
import type { CloudFormationTemplate, SesTemplateOptions, TemplateResource } from './types.ts';

/** Recipients of one receipt rule that SES has always taken; outputs and resources would allow for more. */
export const DOMAINS_PER_TEMPLATE = 100;
/** Octets of the value of a parameter, by CloudFormation's quotas. */
export const PARAMETER_BYTES_MAX = 4096;
/** Days that S3 counts at least and at most. */
const EXPIRY_DAYS_MIN = 15;
const EXPIRY_DAYS_MAX = 36_500;

/**
 * A CloudFormation template with all that SES needs to send, and to receive where `mxPreference` is given, for concrete
 * domains; no transforms. It holds nothing of a region, so that one template serves in any.
 * @throws Refusal 'bad-input' for options that would make a template that cannot be deployed
 */
export function sesTemplate(options: SesTemplateOptions): CloudFormationTemplate {
  check(options);
  const names = parameters(options);
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: description(options),
    Metadata: parameterGroups(names),
    Parameters: names,
    Conditions: conditions(names),
    Resources: resources(options),
    Outputs: outputs(options),
  };
}

function resources(options: SesTemplateOptions): Record<string, TemplateResource> {
  const { part, mxPreference } = options;
  const first = part === undefined || part.number === 1;
  return {
    ...(mxPreference !== undefined && first && receiveResources(options)),
    ...(mxPreference !== undefined &&
      !first && {
        SesReceiptRule: receiptRule({
          name: `${RULE_NAME}-${part.number}`,
          ruleSet: ref('ReceiptRuleSetName'),
          bucket: ref('MailBucketName'),
          topic: ref('NewMailTopicArn'),
          after: [],
        }),
      }),
    ...(first && sendResources()),
    ...identities(options),
    ...accessResources(options),
  };
}

function description({ mxPreference, part }: SesTemplateOptions): string {
  const what = mxPreference === undefined ? 'mail out' : 'mail in and out';
  const which = part === undefined ? '' : ` (part ${part.number} of ${part.of})`;
  return `Postern: ${what} through Amazon SES${which}. Made by "postern ses template".`;
}

function refuse(message: string): never {
  throw new Refusal('bad-input', message);
}

function check(options: SesTemplateOptions): void {
  const { domains, expiryDays, mxPreference, part, principal } = options;
  if (domains.length === 0) refuse('A template needs a domain.');
  if (new Set(domains).size !== domains.length) refuse('A domain is named twice.');
  if (domains.length > DOMAINS_PER_TEMPLATE)
    refuse(`A template takes ${DOMAINS_PER_TEMPLATE} domains, not ${domains.length}.`);
  if (domains.join(',').length > PARAMETER_BYTES_MAX)
    refuse(
      `The names of the domains are longer than ${PARAMETER_BYTES_MAX} characters: make several templates.`,
    );
  if (!Number.isInteger(expiryDays) || expiryDays < EXPIRY_DAYS_MIN || expiryDays > EXPIRY_DAYS_MAX)
    refuse(
      `Mail is kept ${EXPIRY_DAYS_MIN} to ${EXPIRY_DAYS_MAX} days: queues alone keep word of it for 14.`,
    );
  if (
    mxPreference !== undefined &&
    !(Number.isInteger(mxPreference) && mxPreference >= 0 && mxPreference < 65_536)
  )
    refuse('The preference of an MX record is 0 to 65535.');
  if (part !== undefined && part.number > 1 && principal.kind !== 'existing')
    refuse('The user or role is in the first part.');
}
