import type { SmtpReply } from '../../../base/errors.ts';
import { type MailParams, RELEASE_MS, type RcptParams } from '../../../flow/service.ts';
import { parseDateTime } from '../../../mail/date-time.ts';
import { decodeUtf8Addr, decodeXtext } from '../../../mail/xtext.ts';
import { badParam, isReply, parseParams, unknownParam } from './params.ts';

/** Which extensions this session was offered: a parameter of another one is refused as unknown. */
export interface Offered {
  /** EHLO or LHLO was used; without it there are no parameters at all. */
  readonly extended: boolean;
  readonly requireTls: boolean;
  readonly auth: boolean;
  /** Milliseconds since the epoch, where mail may be given to leave later (RFC 4865); undefined: not offered. */
  readonly later: { readonly now: number } | undefined;
}

/** Characters of ENVID (RFC 3461 section 4.4) and of ORCPT (section 4.2), encoded. */
const ENVID_CHARS = 100;
const ORCPT_CHARS = 500;
/** Characters of AUTH=, encoded (RFC 4954 section 5). */
const AUTH_CHARS = 500;

type Draft = { -readonly [K in keyof MailParams]: MailParams[K] };
type MailParam = {
  offered(offered: Offered): boolean;
  read(value: string | undefined, draft: Draft, offered: Offered): SmtpReply | undefined;
};

const always = (offered: Offered): boolean => offered.extended;

const MAIL_PARAMS: ReadonlyMap<string, MailParam> = new Map<string, MailParam>([
  ['SIZE', { offered: always, read: readSize }],
  ['BODY', { offered: always, read: readBody }],
  ['SMTPUTF8', { offered: always, read: flag('SMTPUTF8', (draft) => (draft.smtputf8 = true)) }],
  [
    'REQUIRETLS',
    {
      // RFC 8689 section 2: offered only once TLS protects the session.
      offered: (offered) => offered.extended && offered.requireTls,
      read: flag('REQUIRETLS', (draft) => (draft.requireTls = true)),
    },
  ],
  ['RET', { offered: always, read: readRet }],
  ['ENVID', { offered: always, read: readEnvid }],
  ['AUTH', { offered: (offered) => offered.extended && offered.auth, read: readAuth }],
  ['HOLDFOR', { offered: laterOffered, read: readHoldFor }],
  ['HOLDUNTIL', { offered: laterOffered, read: readHoldUntil }],
]);

const PLAIN: MailParams = {
  size: undefined,
  body: '7BIT',
  smtputf8: false,
  requireTls: false,
  ret: undefined,
  envid: undefined,
  auth: undefined,
};

/** The parameters of MAIL, from what follows the path. */
export function parseMailParams(rest: string, offered: Offered): MailParams | SmtpReply {
  if (rest === '') return PLAIN;
  const params = parseParams(rest);
  if (isReply(params)) return params;
  const draft: Draft = { ...PLAIN };
  for (const { keyword, value } of params) {
    const known = MAIL_PARAMS.get(keyword);
    if (known === undefined || !known.offered(offered)) return unknownParam(keyword);
    const problem = known.read(value, draft, offered);
    if (problem !== undefined) return problem;
  }
  return draft;
}

function flag(keyword: string, set: (draft: Draft) => void): MailParam['read'] {
  return (value, draft) => {
    if (value !== undefined) return badParam(`${keyword} takes no value`);
    set(draft);
    return undefined;
  };
}

function laterOffered(offered: Offered): boolean {
  return offered.extended && offered.later !== undefined;
}

/** RFC 4865 section 3: seconds, 1 to 9 digits. */
function readHoldFor(value: string | undefined, draft: Draft, { later }: Offered): SmtpReply | undefined {
  if (value === undefined || !/^[1-9][0-9]{0,8}$/.test(value)) return badParam('HOLDFOR takes seconds');
  return holdUntil((later?.now ?? 0) + Number(value) * 1000, draft, later);
}

/** RFC 4865 section 3 and erratum 2040: a date-time of RFC 3339. */
function readHoldUntil(value: string | undefined, draft: Draft, { later }: Offered): SmtpReply | undefined {
  const time = value === undefined ? undefined : parseDateTime(value);
  if (time === undefined) return badParam('HOLDUNTIL takes a time such as 2030-01-31T08:00:00Z');
  return holdUntil(time, draft, later);
}

/** RFC 4865 section 4: one of the two, and neither in the past nor later than was offered. */
function holdUntil(time: number, draft: Draft, later: Offered['later']): SmtpReply | undefined {
  if (draft.releaseAt !== undefined) return badParam('HOLDFOR or HOLDUNTIL, and once');
  const now = later?.now ?? 0;
  if (time <= now) return badParam('HOLDUNTIL is in the past');
  if (time > now + RELEASE_MS) return badParam(`mail is held for ${RELEASE_MS / 86_400_000} days at most`);
  draft.releaseAt = time;
  return undefined;
}

/** RFC 1870 section 3: 1 to 20 digits; what exceeds a double's exact range is larger than any limit all the same. */
function readSize(value: string | undefined, draft: Draft): SmtpReply | undefined {
  if (value === undefined || !/^[0-9]{1,20}$/.test(value)) return badParam('SIZE takes a number of octets');
  draft.size = Number(value);
  return undefined;
}

function readBody(value: string | undefined, draft: Draft): SmtpReply | undefined {
  const body = value?.toUpperCase();
  if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') {
    return badParam('BODY is 7BIT, 8BITMIME or BINARYMIME');
  }
  draft.body = body;
  return undefined;
}

function readRet(value: string | undefined, draft: Draft): SmtpReply | undefined {
  const ret = value?.toUpperCase();
  if (ret !== 'FULL' && ret !== 'HDRS') return badParam('RET is FULL or HDRS');
  draft.ret = ret;
  return undefined;
}

function readEnvid(value: string | undefined, draft: Draft): SmtpReply | undefined {
  const envid = decodeXtext(value ?? '', ENVID_CHARS);
  if (envid === undefined) return badParam('ENVID is an xtext of at most 100 characters');
  draft.envid = envid;
  return undefined;
}

function readAuth(value: string | undefined, draft: Draft): SmtpReply | undefined {
  const auth = decodeXtext(value ?? '', AUTH_CHARS);
  if (auth === undefined) return badParam('AUTH is <> or an address as xtext');
  draft.auth = auth;
  return undefined;
}

const NO_RCPT_PARAMS: RcptParams = { notify: [], orcpt: undefined };

/** The parameters of RCPT, from what follows the path. */
export function parseRcptParams(rest: string, offered: Offered): RcptParams | SmtpReply {
  if (rest === '') return NO_RCPT_PARAMS;
  const params = parseParams(rest);
  if (isReply(params)) return params;
  let notify: RcptParams['notify'] = [];
  let orcpt: RcptParams['orcpt'];
  for (const { keyword, value } of params) {
    if (!offered.extended) return unknownParam(keyword);
    if (keyword === 'NOTIFY') {
      const read = readNotify(value);
      if (read === undefined) return badParam('NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY');
      notify = read;
    } else if (keyword === 'ORCPT') {
      orcpt = readOrcpt(value);
      if (orcpt === undefined)
        return badParam('ORCPT is type;address, the address as xtext, at most 500 characters');
    } else return unknownParam(keyword);
  }
  return { notify, orcpt };
}

/** RFC 3461 section 4.1: NEVER stands alone. */
function readNotify(value: string | undefined): RcptParams['notify'] | undefined {
  const notify: ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[] = [];
  for (const word of (value ?? '').toUpperCase().split(',', 5)) {
    if (word !== 'NEVER' && word !== 'SUCCESS' && word !== 'FAILURE' && word !== 'DELAY') return undefined;
    if (notify.includes(word)) return undefined;
    notify.push(word);
  }
  return notify.includes('NEVER') && notify.length > 1 ? undefined : notify;
}

/** RFC 3461 section 4.2; for type utf-8 the encoding is that of RFC 6533 section 3. */
function readOrcpt(value: string | undefined): RcptParams['orcpt'] {
  if (value === undefined || value.length > ORCPT_CHARS) return undefined;
  const semicolon = value.indexOf(';');
  const type = value.slice(0, Math.max(semicolon, 0)).toLowerCase();
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(type)) return undefined;
  const encoded = value.slice(semicolon + 1);
  const address = type === 'utf-8' ? decodeUtf8Addr(encoded, { unitext: true }) : decodeXtext(encoded);
  return address === undefined ? undefined : { type, address };
}
