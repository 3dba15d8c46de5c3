/** Messages made for tests: two kinds of good mail and two of unwanted mail, each a little different from the next. */
import { extractFacts } from '../facts/extract.ts';
import { sampleOfBuffer } from '../facts/sample.ts';
import type { MessageFacts } from '../facts/types.ts';
import { features } from './features.ts';
import type { Features } from './sink.ts';
import type { Example } from './train.ts';

const GOOD = [
  'meeting',
  'agenda',
  'minutes',
  'patch',
  'review',
  'kernel',
  'holiday',
  'dinner',
  'invoice',
  'project',
];
const BAD = [
  'pills',
  'winner',
  'casino',
  'mortgage',
  'refinance',
  'lottery',
  'cheap',
  'enlarge',
  'guarantee',
  'offer',
];
const COMMON = [
  'please',
  'today',
  'the',
  'with',
  'you',
  'we',
  'time',
  'week',
  'send',
  'about',
  'new',
  'your',
  'and',
];

/** Words number `seed` of a list, always the same for the same seed. */
function pick(from: readonly string[], seed: number, count: number): string {
  return Array.from({ length: count }, (_, i) => from[(seed * 7 + i * i * 3 + i) % from.length] ?? '').join(
    ' ',
  );
}

export function mail(headers: Readonly<Record<string, string>>, body: string): MessageFacts {
  const head = Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join(''); // prettier-ignore
  return extractFacts(sampleOfBuffer(Buffer.from(`${head}\r\n${body}\r\n`)));
}

export function goodMail(seed: number): Features {
  const headers = {
    From: `Person ${seed % 5} <person${seed % 5}@example.org>`,
    To: 'Me <me@example.net>',
    Subject: `Re: ${pick(GOOD, seed, 2)}`,
    'Message-ID': `<${seed}.abc@example.org>`,
    'In-Reply-To': '<1@example.net>',
    'Content-Type': 'text/plain; charset=utf-8',
  };
  return features(
    mail(
      headers,
      `Hello,\r\n\r\n${pick(GOOD, seed, 9)} ${pick(COMMON, seed, 12)}.\r\n> ${pick(COMMON, seed + 1, 9)}`,
    ),
  );
}

export function badMail(seed: number): Features {
  const headers = {
    From: `"Deals ${seed}" <x${seed}@offers${seed % 3}.example>`,
    To: 'me@example.net',
    Subject: `${pick(BAD, seed, 3).toUpperCase()}!!!`,
    'Content-Type': 'text/html',
  };
  const body = `<html><body><b>${pick(BAD, seed, 9)} ${pick(COMMON, seed, 12)}</b> <a href="http://shop${seed}.example/buy">CLICK</a></body></html>`;
  return features(mail(headers, body));
}

/** `count` of each kind, by turns. */
export function examples(count: number, from = 0): Example[] {
  return Array.from(
    { length: count * 2 },
    (_, i): Example =>
      i % 2 === 0
        ? { features: goodMail(from + i), label: 'ham' }
        : { features: badMail(from + i), label: 'spam' },
  );
}
