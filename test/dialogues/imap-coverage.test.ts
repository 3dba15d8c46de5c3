import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commandNames } from '../../src/servers/imap/commands/table.ts';
import { imapTestServer } from '../support/imap-server.ts';
import { readDialogues } from './dialogue.ts';
import { codesOf, type Exchange, exchangesOf, nameOf } from './imap-coverage.ts';

const dialogues = readDialogues(join(import.meta.dirname, 'imap'));
const exchanges = dialogues.flatMap(exchangesOf);

/** What a capability brings, as a client uses it well, and as it does not. Undefined: nothing can be wrong with it. */
type Use = readonly [happy: RegExp, bad: RegExp | undefined];

/** By the name of the capability, without what stands behind "=" unless that is part of the name here. */
const USES: Readonly<Record<string, Use>> = {
  IMAP4rev1: [/^SELECT .* OK/, /^SELECT .* (NO|BAD)/],
  IMAP4rev2: [/^ENABLE .*IMAP4rev2.* OK/i, undefined],
  'LITERAL+': [/\{\d+\+\}.* OK/, undefined],
  'LITERAL-': [/\{\d+\+\}.* OK/, undefined],
  'SASL-IR': [/^AUTHENTICATE PLAIN \S+ OK/, /^AUTHENTICATE PLAIN \S+ (NO|BAD)/],
  ENABLE: [/^ENABLE .* OK/, /^ENABLE.* BAD/],
  ID: [/^ID .* OK/, /^ID.* BAD/],
  STARTTLS: [/^STARTTLS OK/, /^STARTTLS.* BAD/],
  'AUTH=PLAIN': [/^AUTHENTICATE PLAIN.* OK/, /^AUTHENTICATE PLAIN.* NO/],
  'AUTH=SCRAM-SHA-256': [/^AUTHENTICATE/, /^AUTHENTICATE .* (NO|BAD)/],
  BINARY: [/FETCH .*BINARY.* OK/, /FETCH .*BINARY.* (NO|BAD)/],
  CHILDREN: [/^LIST .* OK/, /^LIST.* BAD/],
  CONDSTORE: [/CHANGEDSINCE.* OK/, /(CHANGEDSINCE|MODSEQ|UNCHANGEDSINCE).* BAD/],
  ESEARCH: [/SEARCH RETURN .* OK/, /SEARCH RETURN .* BAD/],
  FILTERS: [/SEARCH .*FILTER .* OK/, /SEARCH .*FILTER.* (NO|BAD)/],
  'I18NLEVEL=1': [/SEARCH .*(SUBJECT|TEXT|FROM).* OK/, undefined],
  INPROGRESS: [/^SELECT/, undefined],
  'LIST-EXTENDED': [/^LIST \(.* OK/, /^LIST \(.* BAD/],
  'LIST-METADATA': [/^LIST .*METADATA.* OK/, /^LIST .*METADATA.* BAD/],
  'LIST-MYRIGHTS': [/^LIST .*MYRIGHTS.* OK/, undefined],
  'LIST-STATUS': [/^LIST .*STATUS.* OK/, /^LIST .*STATUS.* BAD/],
  MESSAGELIMIT: [/./, /./],
  OBJECTID: [/(EMAILID|THREADID|MAILBOXID).* OK/, /(EMAILID|THREADID|MAILBOXID).* BAD/],
  PARTIAL: [/PARTIAL .* OK/, /PARTIAL.* BAD/],
  PREVIEW: [/FETCH .*PREVIEW.* OK/, /FETCH .*PREVIEW.* BAD/],
  QRESYNC: [/QRESYNC \(.* OK/, /QRESYNC.* BAD/],
  SAVEDATE: [/(SAVEDATE|SAVEDSINCE|SAVEDON|SAVEDBEFORE).* OK/, /SAVED.* BAD/],
  SEARCHRES: [/SAVE.* OK/, /(\$|SAVE).* (NO|BAD)/],
  'SPECIAL-USE': [/^LIST .*SPECIAL-USE.* OK/, undefined],
  'CREATE-SPECIAL-USE': [/^CREATE .*USE .* OK/, /^CREATE .*USE.* NO/],
  'STATUS=SIZE': [/^STATUS .*SIZE.* OK/, /^STATUS .* BAD/],
  UIDONLY: [/^ENABLE .*UIDONLY.* OK/, / BAD UIDREQUIRED$/],
  UIDPLUS: [/^UID EXPUNGE .* OK/, /^UID EXPUNGE.* BAD/],
  'UTF8=ACCEPT': [/^ENABLE .*UTF8=ACCEPT.* OK/, /UTF8.* BAD/],
  WITHIN: [/SEARCH .*(OLDER|YOUNGER) .* OK/, /(OLDER|YOUNGER).* BAD/],
  ACL: [/^SETACL .* OK/, /^SETACL .* (NO|BAD)/],
  'RIGHTS=kxte': [/^SETACL .* OK/, /^SETACL .* BAD/],
  MULTIAPPEND: [/^APPEND .* OK/, /^APPEND .* (NO|BAD)/],
  CATENATE: [/^APPEND .*CATENATE.* OK/, /^APPEND .*CATENATE.* (NO|BAD)/],
  'CONTEXT=SEARCH': [/SEARCH RETURN .*UPDATE.* OK/, /^CANCELUPDATE.* BAD/],
  'CONTEXT=SORT': [/SORT RETURN .*UPDATE.* OK/, /^CANCELUPDATE.* BAD/],
  UNSELECT: [/^UNSELECT OK/, /^UNSELECT.* BAD/],
  'COMPRESS=DEFLATE': [/^COMPRESS DEFLATE OK/, /^COMPRESS.* BAD/],
  MOVE: [/^(UID )?MOVE .* OK/, /^(UID )?MOVE .* (NO|BAD)/],
  MULTISEARCH: [/^ESEARCH IN .* OK/, /^ESEARCH .* (NO|BAD)/],
  IDLE: [/^IDLE OK/, /^IDLE.* BAD/],
  METADATA: [/^[GS]ETMETADATA .* OK/, /^[GS]ETMETADATA .* (NO|BAD)/],
  'METADATA-SERVER': [/^[GS]ETMETADATA .*"" .* OK/, /^[GS]ETMETADATA .*"" .* (NO|BAD)/],
  NAMESPACE: [/^NAMESPACE OK/, /^NAMESPACE.* BAD/],
  NOTIFY: [/^NOTIFY SET .* OK/, /^NOTIFY .* (NO|BAD)/],
  QUOTA: [/^GETQUOTAROOT .* OK/, /^GETQUOTA.* (NO|BAD)/],
  'QUOTA=RES-STORAGE': [/^GETQUOTA .* OK/, /^GETQUOTA.* (NO|BAD)/],
  'QUOTA=RES-MESSAGE': [/^GETQUOTA .* OK/, /^GETQUOTA.* (NO|BAD)/],
  QUOTASET: [/^SETQUOTA/, /^SETQUOTA .* (NO|BAD)/],
  REPLACE: [/^REPLACE .* OK/, /^REPLACE .* (NO|BAD)/],
  SORT: [/SORT \(.* OK/, /SORT \(.* BAD/],
  'SORT=DISPLAY': [/SORT .*DISPLAY(FROM|TO).* OK/, /SORT \(.* BAD/],
  ESORT: [/SORT RETURN .* OK/, /SORT RETURN .* BAD/],
  'THREAD=ORDEREDSUBJECT': [/THREAD ORDEREDSUBJECT .* OK/, /THREAD .* (NO|BAD)/],
  'THREAD=REFERENCES': [/THREAD REFERENCES .* OK/, /THREAD .* (NO|BAD)/],
  UNAUTHENTICATE: [/^UNAUTHENTICATE OK/, /^UNAUTHENTICATE.* BAD/],
  URLAUTH: [/^GENURLAUTH .* OK/, /^GENURLAUTH .* (NO|BAD)/],
  // Its good use needs a token that no script can know: src/servers/imap has tests of it.
  'URLAUTH=BINARY': [/^URLFETCH .* OK/, /^URLFETCH .*BINARY.* BAD/],
  'URL-PARTIAL': [/PARTIAL=.* OK/, undefined],
  APPENDLIMIT: [/^APPEND .* OK/, /^APPEND .* NO TOOBIG/],
};

/** Response codes of the tagged and untagged status responses, as docs and RFC 9051 section 7.1 name them. */
const CODES =
  'ALREADYEXISTS APPENDUID AUTHENTICATIONFAILED BADCHARSET BADEVENT CANNOT CAPABILITY CLOSED COPYUID EXPUNGEISSUED HASCHILDREN HIGHESTMODSEQ LIMIT MAILBOXID METADATA MODIFIED NONEXISTENT NOPERM OVERQUOTA PERMANENTFLAGS PRIVACYREQUIRED READ-ONLY READ-WRITE TOOBIG TRYCREATE UIDNEXT UIDREQUIRED UIDVALIDITY UNAVAILABLE UNKNOWN-CTE UNSEEN USEATTR'.split(
    ' ',
  );

/** "SELECT x (QRESYNC ...) OK": what the patterns above are held against. */
const shown = exchanges.map(
  ({ command, status, code }) => `${command} ${status}${code === '' ? '' : ` ${code}`}`,
);
const shownBad = (pattern: RegExp): boolean =>
  shown.some((text) => / (NO|BAD)( \S+)?$/.test(text) && pattern.test(text));

describe('IMAP dialogues show', () => {
  it('every command, well and badly used', () => {
    const missing = commandNames.flatMap((name) => {
      const own: readonly Exchange[] = exchanges.filter(({ command }) => nameOf(command) === name);
      const happy = own.some(({ status }) => status === 'OK');
      const bad = own.some(({ status }) => status !== 'OK');
      return [...(happy ? [] : [`${name}, well used`]), ...(bad ? [] : [`${name}, badly used`])];
    });
    assert.deepEqual(missing, []);
  });

  it('every capability that is offered', async () => {
    const server = await imapTestServer();
    try {
      const client = await server.client();
      const before = (await client.response()) ?? '';
      await client.ok('LOGIN alice@example.test postern');
      const after = (await client.ok('CAPABILITY')).join(' ');
      const offered = new Set(
        `${/\[CAPABILITY ([^\]]*)\]/.exec(before)?.[1]} ${after.replace('CAPABILITY ', '')}`.split(' '),
      );
      const missing: string[] = [];
      for (const name of offered) {
        const [stem = ''] = name.split('=');
        if (name.startsWith('AUTH=') && !(name in USES)) continue;
        const use = USES[name] ?? USES[stem];
        if (use === undefined) missing.push(`${name}: no row in this table`);
        else {
          if (!shown.some((text) => use[0].test(text))) missing.push(`${name}: well used`);
          if (use[1] !== undefined && !shownBad(use[1])) missing.push(`${name}: badly used`);
        }
      }
      assert.deepEqual(missing, []);
    } finally {
      await server.close();
    }
  });

  it('every response code', () => {
    const told = new Set(dialogues.flatMap(codesOf));
    assert.deepEqual(
      CODES.filter((code) => !told.has(code)),
      [],
    );
  });
});
