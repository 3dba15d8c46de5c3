/**
 * The web mail: `node bench/web.ts [--messages N]`. A server in this process with an inbox of N messages (50,000), and
 * chromium in front of it. Prints lines of JSON: octets of the first load as they travel (brotli), milliseconds until the
 * list can be used (first visit and the next, and first visits once browser and server have been at work), frames while it is scrolled from top to bottom, milliseconds until what is
 * scrolled to is there, and until a message is shown.
 */
import { parseArgs } from 'node:util';
import { scanMessage } from '../src/mail/message/scanner.ts';
import { inlineBlob, parsedContent } from '../src/flow/intake.ts';
import { startWebWorld, USER } from '../test/web/support.ts';

const { values } = parseArgs({ options: { messages: { type: 'string', default: '50000' } } });
const count = Number(values.messages);
const AT_ONCE = 200;
const MINUTE_MS = 60_000;

/** Run in the page: milliseconds between frames while the list goes by. */
const scroll = `new Promise((done) => {
  const list = document.querySelector('.virtual-list');
  const gaps = [];
  const began = performance.now();
  let before = began;
  const step = (now) => {
    gaps.push(now - before);
    before = now;
    const share = (now - began) / 4000;
    list.scrollTop = share * list.scrollHeight;
    if (share < 1) requestAnimationFrame(step);
    else {
      gaps.sort((a, b) => a - b);
      const at = (part) => Math.round(gaps[Math.floor(gaps.length * part)]);
      done({ frames: gaps.length, medianMs: at(0.5), p95Ms: at(0.95), slowestMs: Math.round(gaps.at(-1)) });
    }
  };
  requestAnimationFrame(step);
})`;

const say = (fields: object): void => console.log(JSON.stringify(fields));

const world = await startWebWorld();
try {
  await fill();
  // The search index has its work with so much mail at once.
  await new Promise((done) => setTimeout(done, 15_000));
  await measure();
  // The one before was the first page of a browser and of a server that had only just been started.
  await anew();
} finally {
  await world.close();
}

/** A third of the messages answer the one before. */
async function fill(): Promise<void> {
  const { store } = world.server;
  const { id: accountId } = await world.server.account(USER);
  const inbox = await store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  const mailboxId = inbox?.id ?? 0;
  const now = Date.now();
  for (let at = 0; at < count; at += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, i) => at + i);
    await Promise.all(
      numbers.map((number) => {
        const octets = message(number);
        const structure = scanMessage(octets);
        const deposit = {
          accountId,
          mailbox: { id: mailboxId },
          prefix: Buffer.alloc(0),
          hidden: [],
          set: { flags: 0, keywords: [] },
          receivedAt: now - (count - number) * MINUTE_MS,
          trace: undefined,
          ignoreQuota: true,
        } as const;
        const content = parsedContent(structure, octets.subarray(0, structure.root.bodyStart));
        return store.write.run('mailstore.append', {
          accountId,
          mailboxId,
          blob: inlineBlob(octets),
          content,
          deposit,
        });
      }),
    );
  }
  say({ filled: count, seconds: Math.round((Date.now() - now) / 1000) });
}

function message(number: number): Buffer {
  const answer = number % 3 === 2;
  const lines = [
    `From: Person ${number % 500} <person${number % 500}@else.test>`,
    `To: ${USER}`,
    `Subject: ${answer ? 'Re: ' : ''}Matter ${answer ? number - 1 : number}`,
    `Message-ID: <${number}@else.test>`,
    ...(answer ? [`In-Reply-To: <${number - 1}@else.test>`, `References: <${number - 1}@else.test>`] : []),
    'Date: Mon, 05 Jan 2026 09:00:00 +0000',
    '',
    `This is the text of message ${number}. ${'It has some words. '.repeat(10)}`,
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

/** First visits of browsers that have nothing kept: no page of ours, no mail. */
async function anew(): Promise<void> {
  for (let visit = 0; visit < 5; visit++) {
    await using web = await world.open();
    const started = performance.now();
    await web.page.goto('/mail', { waitUntil: 'commit' });
    await web.page.locator('.mail-row-open').first().waitFor();
    say({ visit: 'first, nothing kept', milliseconds: Math.round(performance.now() - started) });
  }
}

async function measure(): Promise<void> {
  await using web = await world.open();
  const { page } = web;
  const session = await web.context.newCDPSession(page);
  await session.send('Network.enable');
  const octets = { app: 0, mail: 0 };
  const urls = new Map<string, string>();
  session.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    octets[/\/(?:jmap|account|auth)\//.test(urls.get(requestId) ?? '') ? 'mail' : 'app'] += encodedDataLength;
  });
  for (const visit of ['first', 'second', 'third']) {
    octets.app = 0;
    octets.mail = 0;
    const started = performance.now();
    await page.goto('/mail', { waitUntil: 'commit' });
    await page.locator('.mail-row-open').first().waitFor();
    const milliseconds = Math.round(performance.now() - started);
    const calls = await page.evaluate(
      `performance.getEntriesByType('resource').filter(({ name }) => name.includes('/jmap/api')).map(({ startTime, duration }) => [Math.round(startTime), Math.round(duration)])`,
    );
    say({
      visit,
      milliseconds,
      appKB: Math.round(octets.app / 1000),
      mailKB: Math.round(octets.mail / 1000),
      calls,
    });
    await page.waitForTimeout(1500);
  }
  say({ scrolled: 'the whole list in 4 s', ...(await page.evaluate<object>(scroll)) });
  const jumped = performance.now();
  await page.evaluate(
    `(() => { const list = document.querySelector('.virtual-list'); list.scrollTop = list.scrollHeight * 0.37; })()`,
  );
  await page.locator('.mail-row-open').first().waitFor();
  say({ jumped: 'to the middle', milliseconds: Math.round(performance.now() - jumped) });
  const opened = performance.now();
  await page.locator('.mail-row-open').nth(10).click();
  await page.locator('.mail-text').first().waitFor();
  say({ opened: 'a conversation', milliseconds: Math.round(performance.now() - opened) });
}
