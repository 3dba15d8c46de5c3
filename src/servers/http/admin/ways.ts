import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { verbatim } from '../../../base/words.ts';
import { parseAddress } from '../../../data/directory/address.ts';
import type { QueueMessage } from '../../../data/queue/types.ts';
import { destinationOf } from '../../../flow/delivery/plan.ts';
import { headerFacts } from '../../../flow/outbound/routing/facts.ts';
import type { Ways } from '../../../flow/outbound/routing/ways.ts';
import { said } from '../said.ts';
import { waySentences, wayWords } from '../way-words.ts';
import { done, OK, operation } from './operation.ts';

/** How the ways do: which a message would take, who refuses which, what is remembered of other hosts. */

const SUPPRESSED = {
  bounce: 'suppressedBounce',
  complaint: 'suppressedComplaint',
  manual: 'suppressedManual',
} as const;

const planned = z.object({
  route: z.string(),
  destination: z.string(),
  local: z.boolean(),
  ways: z.array(
    z.object({
      transport: z.string(),
      kind: z.string(),
      /** Why it is passed over now. */
      obstacle: z.string().optional(),
      obstacleWords: z.array(said).readonly().optional(),
    }),
  ),
  suppressed: z.string().optional(),
  suppressedWords: z.array(said).readonly().optional(),
});

const test = operation({
  method: 'POST',
  path: '/routing/test',
  summary: 'Which route and ways a message would take now; nothing is sent',
  access: 'administrator',
  input: z.strictObject({
    address: z.string().min(3).max(320),
    from: z.string().max(320).optional(),
    account: z.string().max(320).optional(),
    size: z.int().min(0).default(10_000),
    origin: z.enum(['submission', 'forward', 'dsn', 'report']).default('submission'),
    /** Header fields as they would stand in the message, a line each. */
    headers: z.array(z.string().max(1000)).max(50).default([]),
  }),
  output: planned,
  async run({ store, ways, clock }, input) {
    const running = needWays(ways);
    const address = parseAddress(input.address);
    if (address === undefined) throw new Refusal('bad-input', `"${input.address}" is not an address.`);
    const destination = destinationOf(input.address);
    const local = (await store.read.run('directory.domain', { name: destination })) !== undefined;
    const facts = testFacts(input, clock.now());
    const plan = await running.plan(facts, destination, 1);
    const [entry] = await store.read.run('suppression.of', { addresses: [input.address], now: clock.now() });
    return {
      route: plan.route,
      destination,
      local,
      ways: plan.ways.map(({ transport, obstacle }) => ({
        transport: transport.name,
        kind: transport.kind,
        ...(obstacle !== undefined && {
          obstacle: obstacle.reason,
          obstacleWords: waySentences(obstacle.reason),
        }),
      })),
      ...(entry !== undefined && {
        suppressed: `${entry.reason}: ${entry.detail}`,
        suppressedWords: [wayWords.say(SUPPRESSED[entry.reason]), verbatim(entry.detail)].filter(
          ({ text }) => text !== '',
        ),
      }),
    };
  },
});

function testFacts(input: z.output<typeof test.input>, now: number): Parameters<Ways['plan']>[0] {
  const from = input.from ?? input.account ?? '';
  const lines = [...(from === '' ? [] : [`From: ${from}`]), ...input.headers, '', ''].join('\r\n');
  return {
    message: { ...NO_MESSAGE, size: input.size, origin: input.origin, reversePath: from, createdAt: now },
    account: input.account,
    ...headerFacts(Buffer.from(lines, 'utf8')),
  };
}

const NO_MESSAGE: QueueMessage = {
  id: 0,
  queueId: '',
  trace: '',
  blobId: 0,
  blobSize: 0,
  prefix: Buffer.alloc(0),
  hidden: [],
  size: 0,
  accountId: undefined,
  origin: 'submission',
  reversePath: '',
  mayBounce: true,
  ret: undefined,
  envid: undefined,
  body: '7BIT',
  smtputf8: false,
  requireTls: false,
  originated: true,
  messageId: undefined,
  createdAt: 0,
  warnAt: undefined,
  expiresAt: undefined,
  holdReason: undefined,
};

function needWays(ways: Ways | undefined): Ways {
  if (ways === undefined) throw new Refusal('unavailable', 'Nothing is sent from here.');
  return ways;
}

const refused = operation({
  method: 'GET',
  path: '/routing/refusals',
  summary: 'Ways that destinations refuse at present, and when they are tried again',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    refusals: z.array(
      z.object({
        way: z.string(),
        destination: z.string(),
        cause: z.string(),
        reply: z.string(),
        since: z.number(),
        until: z.number(),
        failures: z.number(),
      }),
    ),
  }),
  run: async ({ store }) => ({ refusals: await store.read.run('routing.allRefusals', null) }),
});

const retry = operation({
  method: 'DELETE',
  path: '/routing/refusals/:way/:destination',
  summary: 'Forget that a destination refuses a way: the next message tries it',
  access: 'administrator',
  input: z.strictObject({ way: z.string().min(1).max(40), destination: z.string().min(1).max(253) }),
  output: done,
  audited: ({ way, destination }) => ({ action: 'routing.retry', subject: `${way} ${destination}` }),
  async run({ store }, { way, destination }) {
    await store.write.run('routing.accept', { way, destination });
    return OK;
  },
});

const stepOut = z.object({
  step: z.string(),
  host: z.string().optional(),
  result: z.enum(['ok', 'note', 'problem']),
  text: z.string(),
  words: z.array(said).readonly().optional(),
});

const probe = operation({
  method: 'POST',
  path: '/routing/probe',
  summary: 'Go the direct way to an address up to RCPT, and send nothing',
  access: 'administrator',
  input: z.strictObject({ address: z.string().min(3).max(320), from: z.string().max(320).optional() }),
  output: z.object({
    address: z.string(),
    steps: z.array(stepOut),
    deliverable: z.boolean(),
    transcript: z.array(z.string()),
  }),
  async run({ ways }, { address, from }) {
    const { steps, transcript, ...report } = await needWays(ways).probe(address, from ?? '');
    const told = steps.map((one) => ({ ...one, words: waySentences(one.text) }));
    return { ...report, steps: told, transcript: [...transcript] };
  },
});

const hosts = operation({
  method: 'GET',
  path: '/routing/hosts',
  summary: 'What is remembered of other hosts: slowed down, odd TLS, MTA-STS policies',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    slowed: z.array(
      z.object({
        way: z.string(),
        group: z.string(),
        sessions: z.number(),
        limit: z.number(),
        pausedMs: z.number(),
        reply: z.string().optional(),
      }),
    ),
    quirks: z.array(z.object({ host: z.string(), quirk: z.string(), reason: z.string(), until: z.number() })),
    policies: z.array(
      z.object({
        domain: z.string(),
        mode: z.string().optional(),
        expiresAt: z.number().optional(),
        problem: z.string().optional(),
      }),
    ),
  }),
  async run({ store, ways }) {
    const quirks = await store.read.run('transport.quirks', { after: '' });
    const policies = await store.read.run('transport.allSts', { after: '' });
    return {
      slowed: [...(ways?.slowed() ?? [])],
      quirks: [...quirks],
      policies: policies.map(({ domain, policy, failed }) => ({
        domain,
        ...(policy !== undefined && { mode: policy.mode, expiresAt: policy.expiresAt }),
        ...(failed !== undefined && { problem: failed.reason }),
      })),
    };
  },
});

export const ways = { test, refused, retry, probe, hosts };
