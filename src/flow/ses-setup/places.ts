import type { AwsSettings } from '../../net/aws/types.ts';
import type { RoutingSettings } from '../outbound/routing/settings.ts';
import type { IntakeSettings } from '../ses-inbound/settings.ts';
import type { StatusRequest } from './types.ts';

/** One region that the settings use, with the credentials of whatever uses it first. */
export interface SesRegion {
  readonly settings: AwsSettings;
  readonly configurationSets: readonly string[];
  readonly sources: StatusRequest['sources'];
  /** Names of the transports and of the sources of the intake that use it. */
  readonly transports: readonly string[];
  readonly intake: readonly string[];
}

/** Where transports and the intake use SES: one of each region, all that is asked of any. */
export function sesRegions(routing: RoutingSettings, intake: IntakeSettings): SesRegion[] {
  const all = [...senders(routing), ...receivers(intake)];
  const names = [...new Set(all.map(({ settings }) => settings.region))];
  return names.flatMap((region) => {
    const here = all.filter(({ settings }) => settings.region === region);
    const [first] = here;
    if (first === undefined) return [];
    return [
      {
        settings: first.settings,
        configurationSets: [...new Set(here.flatMap(({ configurationSets }) => configurationSets))],
        sources: here.flatMap((one) => one.sources),
        transports: here.flatMap((one) => one.transports),
        intake: here.flatMap((one) => one.intake),
      },
    ];
  });
}

function senders({ transports }: RoutingSettings): SesRegion[] {
  return Object.entries(transports).flatMap(([name, way]) =>
    way.kind !== 'ses-api' && way.kind !== 'ses-smtp'
      ? []
      : [
          {
            settings: {
              region: way.region,
              endpoint: way.endpoint,
              profile: way.profile,
              credentials: way.credentials_file === undefined ? undefined : { file: way.credentials_file },
              roleArn: way.role_arn,
              externalId: way.external_id,
            },
            configurationSets: way.configuration_set === undefined ? [] : [way.configuration_set],
            sources: [],
            transports: [name],
            intake: [],
          },
        ],
  );
}

/** In the settings of the intake '' is what is not set. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function receivers({ sources: all }: IntakeSettings): SesRegion[] {
  return all
    .filter(({ enabled }) => enabled)
    .map((source) => ({
      settings: {
        region: source.region,
        endpoint: given(source.endpoint),
        profile: given(source.profile),
        credentials: source.credentials_file === '' ? undefined : { file: source.credentials_file },
        roleArn: given(source.role_arn),
        externalId: given(source.external_id),
      },
      configurationSets: [],
      sources: [
        {
          bucket: source.bucket,
          prefix: source.prefix,
          topicArns: source.topic_arns,
          queueUrl: source.queue_url,
          deadLetterQueueUrl: source.dead_letter_queue_url,
        },
      ],
      transports: [],
      intake: [source.name],
    }));
}
