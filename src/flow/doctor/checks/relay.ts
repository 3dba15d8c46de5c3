import { connect } from '../../../net/smtp-client/connect.ts';
import { ok, problem, type Topic, unknown } from '../lines.ts';
import type { DoctorLine, World } from '../types.ts';
import { dialAddresses } from './ports.ts';

/** Whether strangers can send to others through us: the old tricks, tried at our own port 25 without a message. */

/** RFC 6761: nobody has these, so nobody can get mail by it. */
const ELSEWHERE = 'open-relay-test.invalid';

export async function checkOpenRelay(world: World): Promise<readonly DoctorLine[]> {
  const topic: Topic = {
    check: 'open-relay',
    subject: 'port 25 (smtp)',
    why: 'A host that passes on mail of strangers is on every list within a day.',
  };
  const listener = world.facts.listeners.find(({ service }) => service === 'smtp');
  if (listener === undefined) return [];
  const address = dialAddresses(world, listener)[0] ?? '127.0.0.1';
  const tricks = recipients(world.facts.domains[0]?.name ?? world.facts.hostname);
  const refused: string[] = [];
  for (const recipient of tricks) {
    const answer = await tryOne(world, address, listener.port, recipient);
    if ('failure' in answer)
      return refused.length > 0 || /ECONNREFUSED|no answer|timeout/i.test(answer.failure)
        ? [unknown(topic, `It could not be tried: ${answer.failure}.`, command(world, recipient))]
        : [unknown(topic, `The session broke off: ${answer.failure}.`, command(world, recipient))];
    if (answer.code < 400)
      return [
        problem(
          topic,
          `A stranger may send to ${recipient} (${answer.code} ${answer.text}). It was tried from ${answer.from}: if that is an address you let relay, look from outside.`,
          command(world, recipient),
          'postern route list',
        ),
      ];
    if (answer.code < 500)
      return [
        unknown(
          topic,
          `We were put off (${answer.code} ${answer.text}), so nothing is proven.`,
          command(world, recipient),
        ),
      ];
    refused.push(`${answer.code}`);
  }
  return [ok(topic, `${tricks.length} ways to relay were refused (${[...new Set(refused)].join(', ')}).`)];
}

/** A plain address of others, the percent trick, a quoted one, a source route (RFC 5321 appendix C). */
function recipients(own: string): string[] {
  return [
    `someone@${ELSEWHERE}`,
    `someone%${ELSEWHERE}@${own}`,
    `"someone@${ELSEWHERE}"@${own}`,
    `${ELSEWHERE}!someone@${own}`,
  ];
}

function command({ facts }: World, recipient: string): string {
  return `swaks --server ${facts.hostname} --from stranger@${ELSEWHERE} --to '${recipient}' --quit-after RCPT   # on another machine`;
}

async function tryOne(
  { facts, clock, options, signal }: World,
  address: string,
  port: number,
  recipient: string,
): Promise<{ code: number; text: string; from: string } | { failure: string }> {
  const timeouts = { connect: options.connectMs, greeting: options.connectMs, ehlo: options.connectMs };
  const outcome = await connect({
    protocol: 'smtp',
    to: { addresses: [address], port },
    tls: 'none',
    servername: facts.hostname,
    helo: facts.hostname,
    clock,
    timeouts: { ...timeouts, mail: options.connectMs, rcpt: options.connectMs, quit: 1000 },
    signal,
  });
  if (outcome.status === 'failed') return { failure: outcome.failure.reason };
  const { client } = outcome;
  const from = client.localAddress;
  const { replies, failure } = await client.tryRecipient(`stranger@${ELSEWHERE}`, recipient);
  await client.quit();
  // MAIL that is refused is as good: there is no stranger then.
  const last = replies.at(-1);
  if (last === undefined || (failure !== undefined && replies.length < 2 && last.code < 400))
    return { failure: failure?.reason ?? 'no reply' };
  return { code: last.code, text: last.lines.join(' ').slice(0, 200), from };
}
