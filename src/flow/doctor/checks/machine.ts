import { statfs } from 'node:fs/promises';
import { isIP } from 'node:net';
import { reserveOf } from '../../../base/disk-reserve.ts';
import { errorText } from '../../../base/errors.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { askTime } from '../../../net/sntp.ts';
import { ok, problem, type Topic, unknown, warning } from '../lines.ts';
import type { DoctorLine, World } from '../types.ts';

/** The machine itself: its clock and its disk. */

/** Milliseconds that the clock may be wrong: DKIM and TLS bear little, TOTP and AWS less. */
const WRONG_MS = 60_000;
const OFF_MS = 5000;
const MIB = 1024 * 1024;

export async function checkTime(world: World): Promise<readonly DoctorLine[]> {
  const { options, clock } = world;
  const topic: Topic = {
    check: 'time',
    subject: 'clock',
    why: 'Signatures and certificates are valid for a time, and Amazon refuses requests from another one.',
  };
  const reasons: string[] = [];
  for (const text of options.timeServers) {
    const server = await serverOf(world, text);
    if (server === undefined) {
      reasons.push(`${text} has no address`);
      continue;
    }
    const answer = await askTime(server, options.connectMs, clock);
    if (answer.status === 'failed') {
      reasons.push(`${text}: ${answer.reason}`);
      continue;
    }
    const seconds = Math.round(Math.abs(answer.offsetMs) / 1000);
    const found = `Our clock is ${seconds} s ${answer.offsetMs > 0 ? 'behind' : 'ahead of'} ${text}.`;
    const mend = 'timedatectl set-ntp true   # or install chrony';
    if (Math.abs(answer.offsetMs) >= WRONG_MS) return [problem(topic, found, mend)];
    return [Math.abs(answer.offsetMs) >= OFF_MS ? warning(topic, found, mend) : ok(topic, found)];
  }
  return [
    unknown(
      topic,
      `No time server answered (${reasons.join('; ') || 'none is set'}).`,
      'timedatectl   # "System clock synchronized: yes" is what you want to see',
    ),
  ];
}

async function serverOf(
  { resolver, signal }: World,
  text: string,
): Promise<{ address: string; port?: number } | undefined> {
  const match = /^(.{1,253}?)(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? text;
  const port = match?.[2] === undefined ? {} : { port: Number(match[2]) };
  if (isIP(text) !== 0) return { address: text };
  if (isIP(host) !== 0) return { address: host, ...port };
  const found = await lookupAddresses(resolver, host, signal);
  const address = found.status === 'ok' ? (found.ipv4[0] ?? found.ipv6[0]) : undefined;
  return address === undefined ? undefined : { address, ...port };
}

export async function checkDisk({ facts, options }: World): Promise<readonly DoctorLine[]> {
  const topic: Topic = {
    check: 'disk',
    subject: facts.dataDirectory,
    why: 'On a full disk no mail can be taken.',
  };
  try {
    const { bavail, bsize, blocks, ffree, files } = await statfs(facts.dataDirectory);
    const [free, all] = [bavail * bsize, blocks * bsize];
    const found = `${Math.floor(free / MIB)} MiB of ${Math.floor(all / MIB)} MiB are free.`;
    const mend = `du -xh --max-depth=1 ${facts.dataDirectory} | sort -h`;
    const reserve = reserveOf(all, options.diskReserve);
    if (free < reserve)
      return [problem(topic, `${found} That is less than the reserve: new mail is put off.`, mend)];
    if (files > 0 && (ffree / files) * 100 < options.diskReserve.percent)
      return [problem(topic, `Only ${ffree} of ${files} inodes are free.`, `df -i ${facts.dataDirectory}`)];
    if (free < 2 * reserve)
      return [warning(topic, `${found} New mail is put off below ${Math.ceil(reserve / MIB)} MiB.`, mend)];
    return [ok(topic, found)];
  } catch (error) {
    return [problem(topic, `It cannot be looked at: ${errorText(error)}.`, `ls -ld ${facts.dataDirectory}`)];
  }
}
