import { isIP } from 'node:net';
import { z } from 'zod';
import { normalizeDomain } from '../mail/address/domain.ts';
import type { ListenTarget } from '../net/listener/bind.ts';

/** What a listener is told in the configuration: an address and port, all addresses (`*`), or a Unix socket. */
export type ListenSpec = Extract<ListenTarget, { address: string } | { path: string }>;

/** Stands for every address of the machine: `::` where there is IPv6, else `0.0.0.0`. */
export const ALL_ADDRESSES = '*';

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const UNITS_BYTES = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

/** "4h", "30d", "0" in milliseconds; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
}

/** "50MiB", "1GiB", "4096" in octets; undefined for what is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12}) ?(|B|KiB|MiB|GiB|TiB)$/.exec(text);
  if (match === null) return undefined;
  const octets = Number(match[1]) * UNITS_BYTES[match[2] as keyof typeof UNITS_BYTES];
  return Number.isSafeInteger(octets) ? octets : undefined;
}

/** "127.0.0.1:25", "[::1]:25", "*:25", "25", "unix:/run/x.sock"; undefined for what is none. */
export function parseListen(text: string): ListenSpec | undefined {
  if (text.startsWith('unix:/')) return { path: text.slice('unix:'.length) };
  const match =
    /^(?:\[([^\]]{2,45})\]|([\d.]{7,15})|(\*)):(\d{1,5})$/.exec(text) ?? /^()()()(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const address = match[1] || match[2] || ALL_ADDRESSES;
  const port = Number(match[4]);
  if (port > 65_535) return undefined;
  if (match[1] && isIP(address) !== 6) return undefined;
  if (match[2] && isIP(address) !== 4) return undefined;
  return { address, port };
}

/** Text that `parse` turns into a value; `expected` completes "... is not ". */
function text<T>(parse: (text: string) => T | undefined, expected: string) {
  return z
    .union([z.string(), z.number()], { error: `must be ${expected}` })
    .transform((value, context): T => {
      const result = parse(String(value).trim());
      if (result !== undefined) return result;
      context.addIssue({ code: 'custom', message: `"${value}" is not ${expected}` });
      return z.NEVER;
    });
}

export const duration = text(parseDuration, 'a duration such as "30s", "15m", "4h", "30d" or "0"');
export const size = text(parseSize, 'a size such as "256KiB", "50MiB" or "1GiB"');
export const hostName = text(
  (value) => (value.includes('.') ? normalizeDomain(value) : undefined),
  'a full host name such as "mail.example.org"',
);
const listenSpec = text(
  parseListen,
  'a place to listen on such as "*:25", "192.0.2.1:25", "[2001:db8::1]:25" or "unix:/run/postern/lmtp.sock"',
);

export function integer(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  return text((value) => {
    const number = Number(value);
    return /^\d{1,15}$/.test(value) && number >= min && number <= max ? number : undefined;
  }, expected);
}

/** A number that need not be whole. */
export function number(min: number, max: number) {
  const expected = `a number from ${min} to ${max}`;
  return text((value) => {
    const found = Number(value);
    return /^\d{1,9}(?:\.\d{1,9})?$/.test(value) && found >= min && found <= max ? found : undefined;
  }, expected);
}

/** true or false in TOML; the same as text in the environment. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], { error: 'must be true or false' })
  .transform((value) => value === true || value === 'true');

/** A list in TOML; in the environment (and for lists of one) text with commas. */
function list<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    z.array(item, { error: 'must be a list, ["one", "two"]' }).max(64),
  );
}

export const listenList = list(listenSpec);
export const textList = list(z.string({ error: 'must be text' }).max(300));
/** Text that may be empty. */
export const plainText = z.string({ error: 'must be text' }).max(1000);
/** A file or directory; relative to the configuration file's directory. Empty: none. */
export const path = z.string({ error: 'must be a path' }).max(4096);
