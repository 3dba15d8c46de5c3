/** The tests of the language: which arguments each has, and which extension gives it. */
import { checkAddressTest, checkEnvelope, checkValueTest, matchCheck } from './command-checks.ts';
import { ADDRESS_PART, type ArgSpec, INDEX, MATCH, MIME, MIME_OPTIONS, type Spec } from './spec.ts';
import {
  checkDatePart,
  checkEnvelopePart,
  checkFieldName,
  checkMailbox,
  checkSpecialUse,
  checkVariable,
  checkZone,
} from './string-checks.ts';

const KEYS: ArgSpec = { type: 'strings', what: 'keys to compare with' };
const KEY: ArgSpec = { type: 'string', what: 'a value to compare with' };
/** RFC 5228 2.4.2.2: in a test the name of no possible field is no error. */
const FIELDS: ArgSpec = {
  type: 'strings',
  what: 'names of header fields',
  check: checkFieldName,
  soft: true,
};
const FIELD: ArgSpec = { ...FIELDS, type: 'string', what: 'the name of a header field' };
const MAILBOX: ArgSpec = { type: 'string', what: 'a mailbox name', check: checkMailbox };
const DATE_PART: ArgSpec = { type: 'string', what: 'a part of a date', check: checkDatePart };
const ZONE = {
  group: 'zone',
  value: { type: 'string', what: 'a zone such as "+0100"', check: checkZone },
} as const;

export const TESTS: Readonly<Record<string, Spec>> = {
  true: { kind: 'test' },
  false: { kind: 'test' },
  not: { kind: 'test', tests: 'one' },
  allof: { kind: 'test', tests: 'many' },
  anyof: { kind: 'test', tests: 'many' },
  exists: { kind: 'test', tags: MIME, args: [FIELDS] },
  size: {
    kind: 'test',
    tags: { over: { group: 'size' }, under: { group: 'size' } },
    args: [{ type: 'number', what: 'a number of octets' }],
    check(node, context) {
      if (!node.tags.has('over') && !node.tags.has('under'))
        context.error(node, 'size needs :over or :under before the number');
    },
  },
  header: {
    kind: 'test',
    tags: { ...MATCH, ...INDEX, ...MIME, ...MIME_OPTIONS },
    args: [FIELDS, KEYS],
    check: matchCheck(1),
  },
  address: {
    kind: 'test',
    tags: { ...MATCH, ...ADDRESS_PART, ...INDEX, ...MIME },
    args: [FIELDS, KEYS],
    check: checkAddressTest,
  },
  envelope: {
    kind: 'test',
    ext: ['envelope'],
    tags: { ...MATCH, ...ADDRESS_PART },
    args: [{ type: 'strings', what: 'parts of the envelope', check: checkEnvelopePart }, KEYS],
    check: checkEnvelope,
  },
  body: {
    kind: 'test',
    ext: ['body'],
    tags: {
      ...MATCH,
      raw: { group: 'transform' },
      text: { group: 'transform' },
      content: { group: 'transform', value: { type: 'strings', what: 'media types' } },
    },
    args: [KEYS],
    check: matchCheck(0),
  },
  date: {
    kind: 'test',
    ext: ['date'],
    tags: { ...MATCH, ...INDEX, zone: ZONE, originalzone: { group: 'zone' } },
    args: [FIELD, DATE_PART, KEYS],
    check: matchCheck(2),
  },
  currentdate: {
    kind: 'test',
    ext: ['date'],
    tags: { ...MATCH, zone: ZONE },
    args: [DATE_PART, KEYS],
    check: matchCheck(1),
  },
  string: {
    kind: 'test',
    ext: ['variables'],
    tags: MATCH,
    args: [{ type: 'strings', what: 'strings' }, KEYS],
    check: matchCheck(1),
  },
  hasflag: {
    kind: 'test',
    ext: ['imap4flags'],
    tags: MATCH,
    optional: 'first',
    args: [
      { type: 'strings', what: 'names of variables', constant: true, check: checkVariable },
      { type: 'strings', what: 'flags', check: () => undefined },
    ],
    check: matchCheck(1),
  },
  duplicate: {
    kind: 'test',
    ext: ['duplicate'],
    tags: {
      handle: { value: { type: 'string', what: 'a handle' } },
      header: { group: 'id', value: FIELD },
      uniqueid: { group: 'id', value: { type: 'string', what: 'an id' } },
      seconds: { value: { type: 'number', what: 'a number of seconds' } },
      last: {},
    },
  },
  environment: {
    kind: 'test',
    ext: ['environment'],
    tags: MATCH,
    args: [{ type: 'string', what: 'the name of an item' }, KEYS],
    check: matchCheck(1),
  },
  valid_ext_list: { kind: 'test', ext: ['extlists'], args: [{ type: 'strings', what: 'names of lists' }] },
  valid_notify_method: {
    kind: 'test',
    ext: ['enotify'],
    args: [{ type: 'strings', what: 'notification methods' }],
  },
  notify_method_capability: {
    kind: 'test',
    ext: ['enotify'],
    tags: MATCH,
    args: [
      { type: 'string', what: 'a notification method' },
      { type: 'string', what: 'a capability such as "online"' },
      KEYS,
    ],
    check: matchCheck(2),
  },
  ihave: {
    kind: 'test',
    ext: ['ihave'],
    args: [{ type: 'strings', what: 'names of extensions', constant: true }],
  },
  mailboxexists: {
    kind: 'test',
    ext: ['mailbox'],
    args: [{ type: 'strings', what: 'mailbox names' }],
  },
  mailboxidexists: {
    kind: 'test',
    ext: ['mailboxid'],
    args: [{ type: 'strings', what: 'mailbox ids' }],
  },
  specialuse_exists: {
    kind: 'test',
    ext: ['special-use'],
    optional: 'first',
    args: [MAILBOX, { type: 'strings', what: 'special uses', check: checkSpecialUse }],
  },
  metadata: {
    kind: 'test',
    ext: ['mboxmetadata'],
    tags: MATCH,
    args: [MAILBOX, { type: 'string', what: 'the name of an annotation' }, KEYS],
    check: matchCheck(2),
  },
  metadataexists: {
    kind: 'test',
    ext: ['mboxmetadata'],
    args: [MAILBOX, { type: 'strings', what: 'names of annotations' }],
  },
  servermetadata: {
    kind: 'test',
    ext: ['servermetadata'],
    tags: MATCH,
    args: [{ type: 'string', what: 'the name of an annotation' }, KEYS],
    check: matchCheck(1),
  },
  servermetadataexists: {
    kind: 'test',
    ext: ['servermetadata'],
    args: [{ type: 'strings', what: 'names of annotations' }],
  },
  spamtest: {
    kind: 'test',
    ext: ['spamtest', 'spamtestplus'],
    tags: { ...MATCH, percent: { ext: ['spamtestplus'] } },
    args: [KEY],
    check: checkValueTest,
  },
  virustest: { kind: 'test', ext: ['virustest'], tags: MATCH, args: [KEY], check: checkValueTest },
};
