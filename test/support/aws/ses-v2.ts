import type { Answer, Core, Incoming, Prepared, ServiceModule } from './internal.ts';
import { malformed, ServiceError } from './internal.ts';
import { type JsonObject, numberIn, object, optionalText, readJson, stringMap, textList } from './json.ts';
import type { Ses, SesCall } from './ses.ts';

interface Route {
  readonly operation: string;
  readonly method: string;
  /** Matched against the decoded path. */
  readonly path: RegExp;
  run(request: Incoming, name: string): JsonObject | Promise<JsonObject>;
  resource?(request: Incoming, name: string): string;
}

/** SES's API v2: JSON over paths. */
export function sesV2Module(core: Core, ses: Ses, wait: () => Promise<void>): ServiceModule {
  const routes = createRoutes(core, ses, wait);
  return {
    prepare(request): Prepared {
      const path = decodeURIComponent(request.path);
      const route = routes.find((each) => each.method === request.method && each.path.test(path));
      const name = route?.path.exec(path)?.[1] ?? '';
      return {
        operation: route?.operation ?? 'Unknown',
        resource: route?.resource?.(request, name) ?? name,
        version: 2,
        async run(): Promise<Answer> {
          if (route === undefined) {
            throw malformed('UnknownOperationException', `${request.method} ${path} is not emulated`, 404);
          }
          const body = JSON.stringify(await route.run(request, name));
          return { status: 200, headers: { 'content-type': 'application/json' }, body };
        },
      };
    },
    renderError: (error, requestId) => ({
      status: error.status,
      headers: {
        'content-type': 'application/json',
        'x-amzn-requestid': requestId,
        'x-amzn-errortype': error.code,
      },
      body: JSON.stringify({ message: error.message }),
    }),
  };
}

function createRoutes(core: Core, ses: Ses, wait: () => Promise<void>): Route[] {
  return [
    {
      operation: 'SendEmail',
      method: 'POST',
      path: /^\/v2\/email\/outbound-emails$/,
      resource: (request) => firstRecipient(request),
      async run(request) {
        const { messageId } = ses.send(readSend(request));
        await wait();
        return { MessageId: messageId };
      },
    },
    {
      operation: 'GetAccount',
      method: 'GET',
      path: /^\/v2\/email\/account$/,
      run: () => accountOf(ses),
    },
    {
      operation: 'ListEmailIdentities',
      method: 'POST',
      path: /^\/v2\/email\/list-identities$/,
      run: (request) => listIdentities(ses, readJson(request.body)),
    },
    {
      // As SDKs did before 2026.
      operation: 'ListEmailIdentities',
      method: 'GET',
      path: /^\/v2\/email\/identities$/,
      run(request) {
        const { PageSize: size, ...rest } = Object.fromEntries(request.query);
        return listIdentities(ses, size === undefined ? rest : { ...rest, PageSize: Number(size) });
      },
    },
    {
      operation: 'GetEmailIdentity',
      method: 'GET',
      path: /^\/v2\/email\/identities\/([^/]+)$/,
      run: (_, name) => identityDetails(core, ses, name),
    },
    {
      operation: 'ListConfigurationSets',
      method: 'GET',
      path: /^\/v2\/email\/configuration-sets$/,
      run: () => ({ ConfigurationSets: [...ses.configurationSets.keys()] }),
    },
    {
      operation: 'GetConfigurationSet',
      method: 'GET',
      path: /^\/v2\/email\/configuration-sets\/([^/]+)$/,
      run(_, name) {
        destinationsOf(ses, name);
        return { ConfigurationSetName: name, SendingOptions: { SendingEnabled: true } };
      },
    },
    {
      operation: 'GetConfigurationSetEventDestinations',
      method: 'GET',
      path: /^\/v2\/email\/configuration-sets\/([^/]+)\/event-destinations$/,
      run: (_, name) => ({ EventDestinations: destinationsOf(ses, name) }),
    },
  ];
}

/** Pages as the API has them: PageSize and NextToken. */
function listIdentities(ses: Ses, input: JsonObject): JsonObject {
  const unknown = Object.keys(input).find((name) => !['Filter', 'PageSize', 'NextToken'].includes(name));
  if (unknown !== undefined) throw malformed('BadRequestException', `Unknown parameter ${unknown}`);
  const filter = stringMap(input, 'Filter');
  const all = [...ses.identities.keys()]
    .map((name) => identityInfo(ses, name))
    .filter((identity) =>
      Object.entries(filter).every(([key, value]) => {
        const member = FILTERS[key];
        if (member === undefined) throw malformed('BadRequestException', `Unknown filter ${key}`);
        const actual = String(identity[member]);
        return key === 'IDENTITY_NAME_CONTAINS' ? actual.includes(value) : actual === value;
      }),
    );
  const size = numberIn(input, 'PageSize', 0, 1000) ?? 1000;
  const start = Number(optionalText(input, 'NextToken') ?? 0);
  const next = start + size;
  return {
    EmailIdentities: all.slice(start, next),
    ...(next < all.length ? { NextToken: String(next) } : {}),
  };
}

const FILTERS: Readonly<Record<string, string>> = {
  IDENTITY_NAME_CONTAINS: 'IdentityName',
  IDENTITY_TYPE: 'IdentityType',
  VERIFICATION_STATUS: 'VerificationStatus',
};

function destinationsOf(ses: Ses, name: string): JsonObject[] {
  const destinations = ses.configurationSets.get(name);
  if (destinations === undefined) {
    throw new ServiceError(404, 'NotFoundException', `Configuration set <${name}> does not exist.`);
  }
  return destinations.map((destination, index) => ({
    Name: destination.name ?? `destination-${index + 1}`,
    Enabled: true,
    MatchingEventTypes: (destination.events ?? ['Send', 'Delivery', 'Bounce', 'Complaint', 'Reject']).map(
      (type) => (type === 'DeliveryDelay' ? 'DELIVERY_DELAY' : type.toUpperCase().replace(' ', '_')),
    ),
    ...(destination.topicArn === undefined ? {} : { SnsDestination: { TopicArn: destination.topicArn } }),
  }));
}

function accountOf(ses: Ses): JsonObject {
  const { settings } = ses;
  return {
    DedicatedIpAutoWarmupEnabled: false,
    EnforcementStatus: settings.enforcement,
    ProductionAccessEnabled: settings.production,
    SendQuota: {
      Max24HourSend: settings.max24HourSend,
      MaxSendRate: settings.maxSendRate === Infinity ? 1_000_000 : settings.maxSendRate,
      SentLast24Hours: settings.sentLast24Hours,
    },
    SendingEnabled: settings.sendingEnabled,
    SuppressionAttributes: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
  };
}

function identityInfo(ses: Ses, name: string): JsonObject {
  const verified = ses.identities.get(name) === true;
  return {
    IdentityType: name.includes('@') ? 'EMAIL_ADDRESS' : 'DOMAIN',
    IdentityName: name,
    SendingEnabled: verified,
    VerificationStatus: verified ? 'SUCCESS' : 'PENDING',
  };
}

function identityDetails(core: Core, ses: Ses, name: string): JsonObject {
  const verified = ses.identities.get(name.toLowerCase());
  if (verified === undefined) {
    throw new ServiceError(404, 'NotFoundException', `Email identity ${name} does not exist.`);
  }
  const { IdentityType, VerificationStatus } = identityInfo(ses, name.toLowerCase());
  return {
    IdentityType,
    FeedbackForwardingStatus: true,
    VerifiedForSendingStatus: verified,
    DkimAttributes: {
      SigningEnabled: true,
      Status: VerificationStatus,
      Tokens: [
        'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
        'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
        'cccccccccccccccccccccccccccccccc',
      ],
      SigningAttributesOrigin: 'AWS_SES',
    },
    MailFromAttributes: {
      BehaviorOnMxFailure: 'REJECT_MESSAGE',
      MailFromDomain: `mail.${name}`,
      MailFromDomainStatus: 'SUCCESS',
    },
    Policies: {},
    Tags: [],
    VerificationStatus,
    VerificationInfo: { LastSuccessTimestamp: Date.now() / 1000 },
    ConfigurationSetName: [...ses.configurationSets.keys()][0],
    IdentityArn: `arn:aws:ses:${core.region}:${core.accountId}:identity/${name}`,
  };
}

const MEMBERS = new Set([
  'FromEmailAddress',
  'FromEmailAddressIdentityArn',
  'Destination',
  'ReplyToAddresses',
  'FeedbackForwardingEmailAddress',
  'FeedbackForwardingEmailAddressIdentityArn',
  'Content',
  'EmailTags',
  'ConfigurationSetName',
  'EndpointId',
  'TenantName',
  'ListManagementOptions',
]);

/** The body is large: it is read once. */
function readSend(request: Incoming): SesCall {
  if (!(request.headers['content-type'] ?? '').startsWith('application/json')) {
    throw malformed('SerializationException', 'Content type is not application/json');
  }
  const input = readJson(request.body);
  const unknown = Object.keys(input).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw malformed('BadRequestException', `SendEmail has no member ${unknown}`);
  const content = object(input, 'Content');
  const raw = content === undefined ? undefined : object(content, 'Raw');
  const data = raw === undefined ? undefined : optionalText(raw, 'Data');
  if (data === undefined) throw malformed('BadRequestException', 'Content.Raw.Data is missing');
  const bytes = Buffer.from(data, 'base64');
  if (bytes.length === 0 || Buffer.byteLength(data) !== Math.ceil(bytes.length / 3) * 4) {
    throw malformed('SerializationException', 'Content.Raw.Data is no base64');
  }
  const destination = object(input, 'Destination') ?? {};
  const tags = (input['EmailTags'] ?? []) as { Name?: unknown; Value?: unknown }[];
  for (const { Name: name, Value: value } of tags) {
    if (![name, value].every((each) => typeof each === 'string' && /^[\w.@-]{1,256}$/.test(each))) {
      throw malformed('BadRequestException', `Invalid tag <${String(name)}>: <${String(value)}>`);
    }
  }
  const sourceArn = optionalText(input, 'FromEmailAddressIdentityArn');
  return {
    api: 2,
    from: optionalText(input, 'FromEmailAddress'),
    recipients: [
      ...textList(destination, 'ToAddresses'),
      ...textList(destination, 'CcAddresses'),
      ...textList(destination, 'BccAddresses'),
    ],
    raw: bytes,
    configurationSet: optionalText(input, 'ConfigurationSetName'),
    tags: Object.fromEntries(tags.map(({ Name, Value }) => [String(Name), String(Value)])),
    sourceArn,
    fromArn: sourceArn,
    returnPathArn: optionalText(input, 'FeedbackForwardingEmailAddressIdentityArn'),
  };
}

/** Found without parsing 50 MB of JSON a second time: in the members around the content. */
function firstRecipient({ body }: Incoming): string {
  const edge = 16_384;
  const text = `${body.toString('latin1', 0, edge)}${body.toString('latin1', Math.max(edge, body.length - edge))}`;
  return /"(?:To|Cc|Bcc)Addresses":\["([^"]*)"/.exec(text)?.[1] ?? '';
}
