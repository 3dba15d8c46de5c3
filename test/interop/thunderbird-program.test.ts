import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { recordTls } from '../support/imap-recorder.ts';
import { openMailbox } from '../support/imap-mailbox.ts';
import { skipUnlessLong, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startThunderbird } from '../support/thunderbird.ts';

/**
 * The program itself, on a screen of Xvfb. What it is told to do is what its own buttons call; what it shows is read
 * from its windows, and pictures go to the folder POSTERN_PICTURES where that is set.
 */

const BOB = 'bob@example.test';
const base64 = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');

async function deliver(server: TestServer, subject: string): Promise<void> {
  const client = await lineClient(server.ports.smtp ?? 0);
  const message = [
    'From: Carol <carol@remote.test>',
    `To: ${BOB}`,
    `Subject: ${subject}`,
    `Message-ID: <${subject.replaceAll(/\W/g, '')}@remote.test>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'plain words',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>rich wörds</p>',
    '--b--',
    '.',
    '',
  ];
  await client.talk(
    ['', '220'],
    ['EHLO remote.test\r\n', '250'],
    ['MAIL FROM:<carol@remote.test> BODY=8BITMIME\r\n', '250'],
    [`RCPT TO:<${BOB}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [message.join('\r\n'), '250'],
  );
  client.close();
}

/** What the scripts below begin with; they run in Thunderbird. */
const HELPERS = `
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const win = Services.wm.getMostRecentWindow("mail:3pane");
const pane = win.document.getElementById("tabmail").currentAbout3Pane;
const root = MailServices.accounts.allServers.find((server) => server.type === "imap").rootFolder;
const folder = (name) => root.descendants.find((one) => one.name.toLowerCase() === name.toLowerCase());
const messages = (name) => [...folder(name).msgDatabase.enumerateMessages()];
const subjects = (name) => messages(name).map((one) => one.mime2DecodedSubject).sort();
const sleep = (ms) => new Promise((resolve) => win.setTimeout(resolve, ms));
const until = async (what, test) => {
  for (let i = 0; i < 400; i++) {
    let value;
    try { value = await test(); } catch {}
    if (value) return value;
    await sleep(100);
  }
  throw new Error(what + " never came");
};
`;

const TRUST = `
const db = Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
const overrides = Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService);
for (const [port, certificate] of args[0]) {
  overrides.rememberValidityOverride("localhost", port, {}, db.constructX509FromBase64(certificate), false);
}
for (const origin of ["imap://localhost", "smtp://localhost"]) {
  const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
  login.init(origin, null, origin, args[1], args[2], "", "");
  await Services.logins.addLoginAsync(login);
}`;

const COMPOSE = `
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
fields.to = "alice@example.test";
fields.subject = "Grüße von Bob";
fields.body = "Ümläute\\n.\\n";
params.composeFields = fields;
params.type = Ci.nsIMsgCompType.New;
params.format = Ci.nsIMsgCompFormat.PlainText;
params.identity = MailServices.accounts.allIdentities[0];
MailServices.compose.OpenComposeWindowWithParams(null, params);
const compose = await until("window", () => {
  const one = Services.wm.getMostRecentWindow("msgcompose");
  return one?.gMsgCompose?.editor && one.document.readyState === "complete" && one;
});
await sleep(1000);
compose.goDoCommand("cmd_saveAsDraft");
await until("draft", () => !compose.gSaveOperationInProgress && compose.gMsgCompose.compFields.draftId);
await sleep(500);
compose.goDoCommand("cmd_sendNow");
await until("sent", () => compose.closed);`;

const SEARCH = `
const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder("Grüße & Büro"));
const term = session.createTerm();
term.attrib = Ci.nsMsgSearchAttrib.Body;
term.op = Ci.nsMsgSearchOp.Contains;
const value = term.value;
value.attrib = Ci.nsMsgSearchAttrib.Body;
value.str = args[0];
term.value = value;
session.appendTerm(term);
const hits = [];
await new Promise((resolve) => {
  session.registerListener(
    { onSearchHit: (one) => hits.push(one.mime2DecodedSubject), onSearchDone: resolve, onNewSearch() {} },
    Ci.nsIMsgSearchSession.allNotifications,
  );
  session.search(win.msgWindow);
});
return hits;`;

describe('Thunderbird itself', { skip: skipUnlessLong() || skipWithout('thunderbird', 'Xvfb') }, () => {
  it('reads, hears of mail, files, writes, sends, searches, renames and deletes', async (t) => {
    await using server = await startTestServer();
    await using imap = await recordTls(server.ports.imaps ?? 0);
    await using smtp = await recordTls(server.ports.submissions ?? 0);
    const home = mkdtempSync(join(tmpdir(), 'postern-thunderbird-'));
    await deliver(server, 'one');
    await deliver(server, '=?utf-8?q?Gr=C3=BC=C3=9Fe?= two');
    const program = await startThunderbird({
      home,
      imapPort: imap.port,
      smtpPort: smtp.port,
      address: BOB,
    });
    t.after(async () => {
      await program.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    });
    t.diagnostic(`report: Thunderbird ${program.version}`);
    let pictures = 0;
    const to = process.env.POSTERN_PICTURES;
    if (to !== undefined) mkdirSync(to, { recursive: true });
    t.after(() => to !== undefined && writeFileSync(join(to, 'dialogue.txt'), imap.transcript()));
    /** Run a script in it, then take a picture. */
    const run = async (name: string, script: string, ...args: readonly unknown[]): Promise<unknown> => {
      try {
        return await program.script(HELPERS + script, ...args);
      } catch (error) {
        throw new Error(`${name}; it said: ${imap.said().slice(-12).join(' | ')}`, { cause: error });
      } finally {
        if (to !== undefined)
          writeFileSync(join(to, `${++pictures}-${name}.png`), await program.screenshot());
      }
    };
    const ports = [
      [imap.port, base64(imap.certificate)],
      [smtp.port, base64(smtp.certificate)],
    ];
    await run('trust', TRUST, ports, BOB, TEST_PASSWORD);

    const shown = await run(
      'inbox',
      `pane.displayFolder(folder("INBOX").URI);
       await until("mail", () => messages("INBOX").length === 2);
       return subjects("INBOX");`,
    );
    assert.deepEqual(shown, ['Grüße two', 'one']);
    const folders = await run(
      'folders',
      `const names = ["Archive", "Drafts", "Junk", "Sent", "Trash"];
       const flag = (name) => Ci.nsMsgFolderFlags[name === "Sent" ? "SentMail" : name];
       await until("folders", () => names.every((name) => folder(name)));
       return names.filter((name) => folder(name).flags & flag(name));`,
    );
    assert.deepEqual(folders, ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash'], 'it knows what each is for');

    const text = await run(
      'read',
      `pane.threadTree.selectedIndex = 0;
       await until("the flag", () => messages("INBOX").some((one) => one.isRead));
       const browser = pane.messageBrowser.contentWindow.getMessagePaneBrowser();
       return until("text", () => /rich wörds/.exec(browser.contentDocument?.body?.textContent)?.[0]);`,
    );
    assert.equal(text, 'rich wörds');

    await until(() => imap.said().some((line) => line.endsWith(' IDLE')), 'IDLE');
    await deliver(server, 'three');
    await run('idle', 'await until("new mail", () => subjects("INBOX").includes("three"));');

    await run(
      'folder',
      `root.createSubfolder("Grüße & Büro", win.msgWindow);
       await until("folder", () => folder("Grüße & Büro"));
       folder("Grüße & Büro").createSubfolder("日本", win.msgWindow);
       await until("folder in it", () => folder("日本"));`,
    );
    await run(
      'file',
      `const one = messages("INBOX").find((one) => one.mime2DecodedSubject === "one");
       folder("INBOX").markMessagesFlagged([one], true);
       folder("INBOX").addKeywordsToMessages([one], "$label1");
       await until("flags", () => one.isFlagged);
       await new Promise((resolve, reject) => {
         const listener = {
           onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() {},
           onStopCopy: (status) => (Components.isSuccessCode(status) ? resolve() : reject(new Error("status " + status))),
         };
         MailServices.copy.copyMessages(folder("INBOX"), [one], folder("Grüße & Büro"), true, listener, win.msgWindow, true);
       });
       await until("it to be gone", () => messages("INBOX").length === 2);`,
    );
    await run(
      'delete',
      `const two = messages("INBOX").find((one) => one.mime2DecodedSubject.endsWith("two"));
       folder("INBOX").deleteMessages([two], win.msgWindow, false, false, null, true);
       await until("it to be gone", () => messages("INBOX").length === 1);`,
    );
    await run('compose', COMPOSE);
    const sent = await run(
      'sent',
      'folder("Sent").updateFolder(win.msgWindow); await until("copy", () => messages("Sent").length === 1); return subjects("Sent");',
    );
    assert.deepEqual(sent, ['Grüße von Bob']);
    await run(
      'target',
      `pane.displayFolder(folder("Grüße & Büro").URI);
       await until("message", () => messages("Grüße & Büro").length === 1);`,
    );
    assert.deepEqual(await run('search', SEARCH, 'WÖRDS'), ['one'], 'search at the server, in UTF-8');
    assert.deepEqual(await run('search-nothing', SEARCH, 'wörter'), []);
    await run(
      'rename',
      'folder("日本").rename("日本語", win.msgWindow); await until("name", () => folder("日本語") && !folder("日本"));',
    );
    await run('empty', 'folder("Trash").emptyTrash(null); await sleep(500);');
    await until(
      () => imap.said().some((line) => /\bdelete\b|expunge|\\Deleted/i.test(line)),
      'the Trash empty',
    );

    // What the account holds now, told by another client.
    const other = await openMailbox(server.ports.imaps, { user: BOB, password: TEST_PASSWORD });
    const mailboxes = (await other.ok('LIST "" "Gr*"')).map((line) => /"([^"]*)"$/.exec(line)?.[1]);
    assert.deepEqual(mailboxes, ['Gr&APwA3w-e &- B&APw-ro', 'Gr&APwA3w-e &- B&APw-ro/&ZeVnLIqe-']);
    await other.ok('SELECT "Gr&APwA3w-e &- B&APw-ro"');
    const [flags = ''] = await other.ok('FETCH 1:* (FLAGS)');
    for (const flag of ['\\Flagged', '$label1']) assert.ok(flags.includes(flag), flags);
    await other.ok('SELECT Drafts');
    assert.deepEqual(await other.ok('UID SEARCH ALL'), ['SEARCH'], 'the draft went when it was sent');
    await other.ok('SELECT Sent');
    const [, body = ''] =
      /BODY\[TEXT\] \{\d+\}\r\n([^]*)\)$/.exec((await other.ok('FETCH 1 BODY[TEXT]'))[0] ?? '') ?? [];
    assert.match(Buffer.from(body, 'latin1').toString(), /^Ümläute\r\n\.\r\n/);
    other.close();
    const alice = await openMailbox(server.ports.imaps, {
      user: 'alice@example.test',
      password: TEST_PASSWORD,
    });
    assert.deepEqual(await alice.ok('UID SEARCH CHARSET UTF-8 SUBJECT ', Buffer.from('Grüße')), ['SEARCH 1']);
    alice.close();
    // It may ask for the STATUS of a folder under the name it has just taken away.
    const refused = imap.transcript().match(/^\d+ \d+ S: \S+ (BAD|NO) .*$/gm) ?? [];
    assert.deepEqual(
      refused.filter((line) => !line.includes('NO [NONEXISTENT]')),
      [],
      'nothing was refused',
    );
    for (const command of [/ COMPRESS DEFLATE$/, / ENABLE UTF8=ACCEPT$/, / APPEND "Sent" .*UTF8 \(/i]) {
      assert.ok(
        imap.said().some((line) => command.test(line)),
        `it used ${command}`,
      );
    }
  });
});

async function until(ready: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (ready()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: never`);
}
