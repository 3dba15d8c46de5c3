import type { z } from 'zod';
import type { StatusRequest } from '../../flow/ses-setup/types.ts';
import type { AwsSettings } from '../../net/aws/types.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import type { AdminClient } from './client.ts';

/** What the settings of a running server say of SES. */
export interface ServerPlaces {
  readonly domains: readonly string[];
  readonly host: string;
  /** By region, each with the credentials of whatever uses it first. */
  readonly regions: readonly {
    readonly settings: AwsSettings;
    readonly configurationSets: readonly string[];
    readonly sources: StatusRequest['sources'];
  }[];
}

type Region = ServerPlaces['regions'][number];
type Routing = z.output<typeof operations.routing.show.output>['settings'];
type Intake = z.output<typeof operations.intake.show.output>['settings'];

/** @throws Refusal when no server answers */
export async function serverPlaces(admin: AdminClient): Promise<ServerPlaces> {
  const [{ domains }, { hostname }, routing, intake] = await Promise.all([
    admin.call(operations.domains.list, {}),
    admin.call(operations.status.get, {}),
    admin.call(operations.routing.show, {}),
    admin.call(operations.intake.show, {}),
  ]);
  return {
    domains: domains.map(({ name }) => name),
    host: hostname,
    regions: regionsOf([...senders(routing.settings), ...sources(intake.settings)]),
  };
}

function senders({ transports }: Routing): Region[] {
  return Object.values(transports).flatMap((way) =>
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
          },
        ],
  );
}

/** In the settings of the intake '' is what is not set. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function sources({ sources: all }: Intake): Region[] {
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
    }));
}

/** One of each region: the credentials of the first, all that is asked of any. */
function regionsOf(all: readonly Region[]): Region[] {
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
      },
    ];
  });
}
