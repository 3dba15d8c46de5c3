import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { corpusMessages, generatedMessages, skipWithoutCorpus } from '../../test/support/corpus.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../../test/support/server.ts';
import { type JmapClient, jmapClient } from '../../test/jmap/client.ts';
import { type Recorder, recordHttps } from './recorder.ts';

/** A server with mail in bob's INBOX, and HTTPS before it, for mail programs of other people. */
export interface Site {
  readonly recorder: Recorder;
  /** Of the account that the program opens. */
  readonly address: string;
  readonly password: string;
  /** Where the program keeps its files; gone at the end. */
  readonly home: string;
  /** What a small client of ours sees in the same account, or in another. */
  client(address?: string): Promise<JmapClient>;
  /** Put a message into the INBOX of the program's account, as the Internet does. */
  deliver(subject: string, text: string, to?: string): Promise<void>;
  /** Stop the server, wait while nobody answers, start it again on the same store. */
  restart(awayMs: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const BOB = 'bob@example.test';

/** `messages`: how many of the corpus lie in the INBOX (made-up ones where there is no corpus). */
export async function openSite(messages: number): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-foreign-'));
  const home = await mkdtemp(join(tmpdir(), 'postern-foreign-home-'));
  const start = (): Promise<TestServer> =>
    startTestServer({ directory, config: { listen: { https: ['127.0.0.1:0'] } } });
  let server = await start();
  const recorder = await recordHttps(server.ports.https ?? 0);
  const client = (address = BOB): Promise<JmapClient> => jmapClient(server, address, TEST_PASSWORD, 20);
  await fill(await client(), messages);
  return {
    recorder,
    address: BOB,
    password: TEST_PASSWORD,
    home,
    client,
    async deliver(subject, text, to = BOB) {
      // With a Message-ID: aerc 0.20 ends itself when it moves a message that has none.
      const head = [
        'From: Carol Remote <carol@remote.test>',
        `To: ${to}`,
        `Subject: ${subject}`,
        `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
        `Message-ID: <${randomUUID()}@remote.test>`,
      ];
      const octets = `${head.join('\r\n')}\r\n\r\n${text}\r\n`;
      await importInto(await client(to), [Buffer.from(octets)]);
    },
    async restart(awayMs) {
      recorder.target(undefined);
      await server.close();
      await new Promise((done) => setTimeout(done, awayMs));
      server = await start();
      recorder.target(server.ports.https);
    },
    async [Symbol.asyncDispose]() {
      await recorder[Symbol.asyncDispose]();
      await server.close();
      for (const path of [directory, home]) await rm(path, { recursive: true, force: true });
    },
  };
}

async function fill(client: JmapClient, count: number): Promise<void> {
  const found = skipWithoutCorpus() === false ? corpusMessages('mail', count) : generatedMessages(count);
  await importInto(
    client,
    found.map(({ octets }) => octets),
  );
}

/** Through JMAP: the messages lie there as they are, whatever they say of themselves. */
async function importInto(client: JmapClient, messages: readonly Buffer[]): Promise<void> {
  const { list } = (await client.call('Mailbox/get', { properties: ['role'] })) as {
    list: { id: string; role: string | null }[];
  };
  const inbox = list.find(({ role }) => role === 'inbox')?.id ?? '';
  for (const octets of messages) {
    const blobId = await client.upload(octets, 'message/rfc822');
    const emails = { a: { blobId, mailboxIds: { [inbox]: true } } };
    await client.call('Email/import', { emails });
  }
}
