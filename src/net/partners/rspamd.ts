import { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { PartnerFailed, type PartnerMessage } from './dial.ts';

/** Milliseconds for the whole question. */
const ANSWER_MS = 30_000;
/** Octets of an answer. */
const ANSWER_MAX = 1024 * 1024;
const SYMBOLS_MAX = 20;

const answerSchema = z.object({
  score: z.number(),
  required_score: z.number().optional(),
  action: z.string().max(100),
  symbols: z
    .record(z.string(), z.object({ score: z.number(), description: z.string().optional() }))
    .prefault({}),
});

export interface RspamdVerdict {
  readonly score: number;
  readonly action: string;
  /** The strongest symbols that counted, by weight. */
  readonly symbols: readonly { readonly name: string; readonly score: number }[];
}

/** Ask rspamd over HTTP (POST /checkv2). @throws PartnerFailed */
export async function askRspamd(url: string, message: PartnerMessage, clock: Clock): Promise<RspamdVerdict> {
  const controller = new AbortController();
  const timer = clock.setTimer(ANSWER_MS, () => controller.abort());
  try {
    const response = await fetch(new URL('/checkv2', url), {
      method: 'POST',
      headers: questionHeaders(message),
      body: ReadableStream.from(message.read()) as unknown as NonNullable<RequestInit['body']>,
      duplex: 'half',
      redirect: 'error',
      signal: controller.signal,
    });
    const text = await bounded(response);
    if (!response.ok) throw new PartnerFailed(`${url} answered ${response.status}`);
    return verdictOf(answerSchema.parse(JSON.parse(text)));
  } catch (error) {
    if (error instanceof PartnerFailed) throw error;
    const why = controller.signal.aborted
      ? `no answer for ${ANSWER_MS / 1000} s`
      : error instanceof z.ZodError || error instanceof SyntaxError
        ? 'its answer is not what rspamd says'
        : reasonOf(error);
    throw new PartnerFailed(`${url}: ${why}`);
  } finally {
    timer.cancel();
  }
}

/** What fetch hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? errorText(error.cause) : errorText(error);
}

function questionHeaders(message: PartnerMessage): [string, string][] {
  const fields: [string, string][] = [
    ['Content-Type', 'application/octet-stream'],
    ['Content-Length', String(message.size)],
    ['MTA-Name', message.hostname],
    ['Queue-Id', message.trace],
    ['From', message.reversePath],
    ...message.recipients.map((address): [string, string] => ['Rcpt', address]),
  ];
  if (message.ip !== '') fields.push(['IP', message.ip]);
  if (message.helo !== '') fields.push(['Helo', message.helo]);
  if (message.clientName !== '') fields.push(['Hostname', message.clientName]);
  return fields.map(([name, value]) => [name, value.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 1000)]);
}

async function bounded(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > ANSWER_MAX) throw new PartnerFailed('its answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function verdictOf({ score, action, symbols }: z.output<typeof answerSchema>): RspamdVerdict {
  return {
    score,
    action,
    symbols: Object.entries(symbols)
      .map(([name, symbol]) => ({ name: name.slice(0, 100), score: symbol.score }))
      .filter((symbol) => symbol.score !== 0)
      .toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score))
      .slice(0, SYMBOLS_MAX),
  };
}
