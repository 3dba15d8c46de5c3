import { auth } from './auth.ts';
import { bdat } from './bdat.ts';
import type { Command } from './command.ts';
import { data } from './data.ts';
import { ehlo, helo, lhlo } from './ehlo.ts';
import { help } from './help.ts';
import { mail } from './mail.ts';
import { noop } from './noop.ts';
import { quit } from './quit.ts';
import { rcpt } from './rcpt.ts';
import { rset } from './rset.ts';
import { starttls } from './starttls.ts';
import { vrfy } from './vrfy.ts';

const rows: readonly Command[] = [
  ehlo,
  helo,
  lhlo,
  starttls,
  auth,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  vrfy,
  help,
  quit,
];

/** Every command we know, by name. */
export const commands: ReadonlyMap<string, Command> = new Map(rows.map((row) => [row.name, row]));

/** Commands of the RFCs that we do not have (RFC 5321 section 4.2.4: 502 for these, 500 for nonsense). */
export const notImplemented: ReadonlySet<string> = new Set([
  'EXPN',
  'TURN',
  'ETRN',
  'ATRN',
  'SEND',
  'SOML',
  'SAML',
]);

/** The first word of a web client or of one that was tricked into speaking to us: nothing after it is mail. */
export const foreign: ReadonlySet<string> = new Set([
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'PATCH',
  'TRACE',
  'HOST:',
  'USER-AGENT:',
  'CONTENT-TYPE:',
]);
