import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { checkHost, type SpfResult } from '../../../mail/spf/check.ts';
import { type CliCommand, UsageError } from '../command.ts';
import { plain } from '../plain-text.ts';
import { resolverOf } from '../resolver.ts';

/** What each result means for somebody who has never met SPF. */
const MEANING: Readonly<Record<SpfResult['result'], string>> = {
  pass: 'the domain lets this address send its mail',
  fail: 'the domain says that this address may not send its mail',
  softfail: 'the domain thinks that this address should not send its mail, but is not sure',
  neutral: 'the domain says nothing about this address',
  none: 'the domain has no SPF record, so it says nothing at all',
  temperror: 'DNS did not answer; try again',
  permerror: 'the SPF record of the domain is broken; only its owner can mend it',
};

/** An address as people write it, with or without brackets; "" and "<>" are the null reverse-path. */
export function bareAddress(text: string): string {
  return text.replace(/^<(.*)>$/s, '$1');
}

export function ipOption(text: string | undefined): string {
  if (text === undefined) throw new UsageError('--ip is missing: the address of the host that sends');
  if (isIP(text) === 0) throw new UsageError(`--ip: "${plain(text)}" is no IP address`);
  return text;
}

function spfText(result: SpfResult, ip: string): string {
  const who = result.identity === 'helo' ? 'the HELO name' : 'the sender';
  const lines = [
    `${result.result}: ${MEANING[result.result]}`,
    `  asked about  ${plain(result.domain) || '(no domain)'} (${who}), for ${ip}`,
    `  because      ${plain(result.reason)}`,
  ];
  if (result.mechanism !== undefined) lines.push(`  term         ${plain(result.mechanism)}`);
  if (result.explanation !== undefined) lines.push(`  they say     ${plain(result.explanation)}`);
  lines.push(`  DNS          ${result.lookups} of 10 lookups, ${result.voidLookups} of 2 without an answer`);
  return `${lines.join('\n')}\n`;
}

export const checkCommands: readonly CliCommand[] = [
  {
    words: ['check', 'spf'],
    summary: 'may this address send mail of that domain (SPF, RFC 7208)',
    details: 'Asks DNS and needs no server of ours.',
    args: [],
    options: {
      ip: { value: 'IP', help: 'address of the host that sends' },
      helo: { value: 'NAME', help: 'its name in HELO or EHLO (default: unknown)' },
      from: { value: 'ADDRESS', help: 'envelope sender; "" for a bounce, which is judged by its HELO name' },
      dns: { value: 'HOST:PORT', help: "DNS resolver to ask (default: the system's)" },
    },
    example: 'check spf --ip 192.0.2.1 --from ann@example.org',
    offline: true,
    async run({ io, text }) {
      const ip = ipOption(text('ip'));
      const from = text('from');
      const helo = text('helo') ?? '';
      if (from === undefined && helo === '')
        throw new UsageError('name the sender with --from ADDRESS, or the host with --helo NAME');
      const value = await checkHost({
        ip,
        helo: helo === '' ? 'unknown' : helo,
        mailFrom: bareAddress(from ?? ''),
        dns: await resolverOf(text('dns'), io.clock),
        nowMs: io.clock.now(),
        receiver: hostname(),
      });
      return { value, text: () => spfText(value, ip) };
    },
  },
];
