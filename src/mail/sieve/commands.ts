/** The commands of the language: which arguments each has, and which extension gives it. */
import { MATCH, type Spec, type TagSpec, type Tags } from './spec.ts';
import {
  checkFieldName,
  checkFlags,
  checkFromAddress,
  checkImportance,
  checkMailbox,
  checkScriptName,
  checkSpecialUse,
  checkVariable,
} from './string-checks.ts';
import { checkMethod } from './notify-method.ts';
import {
  checkDelete,
  checkMailboxIdMix,
  checkModifiers,
  checkRedirect,
  checkReplace,
  checkVacation,
} from './command-checks.ts';

const FLAGS: TagSpec = {
  ext: ['imap4flags'],
  value: { type: 'strings', what: 'flags', check: checkFlags, soft: true },
};
const CREATE: TagSpec = { ext: ['mailbox'] };
const COPY: TagSpec = { ext: ['copy'] };
const SPECIAL_USE: TagSpec = {
  ext: ['special-use'],
  value: { type: 'string', what: 'a special use', check: checkSpecialUse },
};
const MAILBOX_ID: TagSpec = {
  ext: ['mailboxid'],
  value: { type: 'string', what: 'a mailbox id', check: checkMailbox },
};

/** RFC 8580 3; 3.1 to 3.4 take the options of fileinto along. */
const FCC: Tags = {
  fcc: { ext: ['fcc'], value: { type: 'string', what: 'a mailbox name', check: checkMailbox } },
  create: { ...CREATE, needs: ['fcc'] },
  flags: { ...FLAGS, needs: ['fcc'] },
  specialuse: { ...SPECIAL_USE, needs: ['fcc'] },
  mailboxid: { ...MAILBOX_ID, needs: ['fcc'] },
};

/** RFC 5229 4.1, RFC 5435 7 for encodeurl. Tags of one group have the same precedence. */
export const MODIFIERS: Tags = {
  lower: { group: 'case' },
  upper: { group: 'case' },
  lowerfirst: { group: 'first' },
  upperfirst: { group: 'first' },
  quotewildcard: { group: 'quote' },
  quoteregex: { group: 'quote', ext: ['regex'] },
  encodeurl: { ext: ['enotify'] },
  length: {},
};

const FLAG_COMMAND: Spec = {
  kind: 'action',
  ext: ['imap4flags'],
  optional: 'first',
  args: [
    { type: 'string', what: 'the name of a variable', constant: true, check: checkVariable },
    { type: 'strings', what: 'flags', check: checkFlags, soft: true },
  ],
};

const REASON = { type: 'string', what: 'a reason' } as const;

export const COMMANDS: Readonly<Record<string, Spec>> = {
  require: {
    kind: 'control',
    args: [{ type: 'strings', what: 'names of extensions', constant: true }],
  },
  if: { kind: 'control', tests: 'one', block: true },
  elsif: { kind: 'control', tests: 'one', block: true },
  else: { kind: 'control', block: true },
  stop: { kind: 'control' },
  keep: { kind: 'action', tags: { flags: FLAGS } },
  discard: { kind: 'action' },
  redirect: {
    kind: 'action',
    tags: {
      copy: COPY,
      list: { ext: ['extlists'] },
      notify: { ext: ['redirect-dsn'], value: { type: 'string', what: 'a list of conditions' } },
      ret: { ext: ['redirect-dsn'], value: { type: 'string', what: '"full" or "hdrs"' } },
    },
    args: [{ type: 'string', what: 'an address' }],
    check: checkRedirect,
  },
  fileinto: {
    kind: 'action',
    ext: ['fileinto'],
    tags: { copy: COPY, create: CREATE, flags: FLAGS, specialuse: SPECIAL_USE, mailboxid: MAILBOX_ID },
    args: [{ type: 'string', what: 'a mailbox name', check: checkMailbox }],
    check: checkMailboxIdMix,
  },
  reject: { kind: 'action', ext: ['reject'], args: [REASON] },
  ereject: { kind: 'action', ext: ['ereject'], args: [REASON] },
  vacation: {
    kind: 'action',
    ext: ['vacation'],
    tags: {
      days: { group: 'period', value: { type: 'number', what: 'a number of days' } },
      seconds: {
        group: 'period',
        ext: ['vacation-seconds'],
        value: { type: 'number', what: 'a number of seconds' },
      },
      subject: { value: { type: 'string', what: 'a subject' } },
      from: { value: { type: 'string', what: 'an address', check: checkFromAddress } },
      addresses: { value: { type: 'strings', what: 'addresses' } },
      mime: {},
      handle: { value: { type: 'string', what: 'a handle' } },
      ...FCC,
    },
    args: [{ type: 'string', what: 'the text of the reply' }],
    check: checkVacation,
  },
  set: {
    kind: 'action',
    ext: ['variables'],
    tags: MODIFIERS,
    args: [
      { type: 'string', what: 'the name of a variable', constant: true, check: checkVariable },
      { type: 'string', what: 'a value' },
    ],
  },
  setflag: FLAG_COMMAND,
  addflag: FLAG_COMMAND,
  removeflag: FLAG_COMMAND,
  addheader: {
    kind: 'action',
    ext: ['editheader'],
    tags: { last: {} },
    args: [
      { type: 'string', what: 'the name of a header field', check: checkFieldName },
      { type: 'string', what: 'a value' },
    ],
  },
  deleteheader: {
    kind: 'action',
    ext: ['editheader'],
    tags: {
      ...MATCH,
      index: { value: { type: 'number', what: 'the number of a field' } },
      last: { needs: ['index'] },
    },
    optional: 'last',
    args: [
      { type: 'string', what: 'the name of a header field', check: checkFieldName },
      { type: 'strings', what: 'patterns of values' },
    ],
    check: checkDelete,
  },
  notify: {
    kind: 'action',
    ext: ['enotify'],
    tags: {
      from: { value: { type: 'string', what: 'an address', check: checkFromAddress } },
      importance: { value: { type: 'string', what: '"1", "2" or "3"', check: checkImportance } },
      options: { value: { type: 'strings', what: 'options' } },
      message: { value: { type: 'string', what: 'a message' } },
      ...FCC,
    },
    args: [{ type: 'string', what: 'a method such as "mailto:..."', check: checkMethod }],
  },
  include: {
    kind: 'control',
    ext: ['include'],
    tags: {
      personal: { group: 'location' },
      global: { group: 'location' },
      once: {},
      optional: {},
    },
    args: [{ type: 'string', what: 'the name of a script', constant: true, check: checkScriptName }],
  },
  return: { kind: 'control', ext: ['include'] },
  global: {
    kind: 'control',
    ext: ['include'],
    args: [{ type: 'strings', what: 'names of variables', constant: true, check: checkVariable }],
  },
  foreverypart: {
    kind: 'control',
    ext: ['foreverypart'],
    tags: { name: { value: { type: 'string', what: 'the name of a loop', constant: true } } },
    block: true,
  },
  break: {
    kind: 'control',
    ext: ['foreverypart'],
    tags: { name: { value: { type: 'string', what: 'the name of a loop', constant: true } } },
  },
  replace: {
    kind: 'action',
    ext: ['replace'],
    tags: {
      mime: {},
      subject: { value: { type: 'string', what: 'a subject' } },
      from: { value: { type: 'string', what: 'an address', check: checkFromAddress } },
    },
    args: [{ type: 'string', what: 'the new content' }],
    check: checkReplace,
  },
  enclose: {
    kind: 'action',
    ext: ['enclose'],
    tags: {
      subject: { value: { type: 'string', what: 'a subject' } },
      headers: { value: { type: 'strings', what: 'header fields' } },
    },
    args: [{ type: 'string', what: 'the text to enclose with' }],
  },
  extracttext: {
    kind: 'action',
    ext: ['extracttext'],
    tags: { ...MODIFIERS, first: { value: { type: 'number', what: 'a number of characters' } } },
    args: [{ type: 'string', what: 'the name of a variable', constant: true, check: checkVariable }],
    check: checkModifiers,
  },
  error: { kind: 'control', ext: ['ihave'], args: [{ type: 'string', what: 'a message' }] },
};
