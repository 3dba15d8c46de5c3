/** The refusals of docs/guides/why-refused.md: what happens on the wire, and what a person is told about it. */
import type { FilterSettingsInput } from '../src/flow/spam/settings.ts';
import type { TestClock } from '../test/support/clock.ts';
import type { Zone } from '../test/support/dns-server.ts';
import { type Judged, letter } from '../test/support/judged.ts';
import { type LineClient, lineClient } from '../test/support/smtp-client.ts';

export const ANN = 'ann@example.org';
/** A mail server in good order, and one of which nobody knows anything. */
const PARTNER = { ip: '198.51.100.20', helo: 'mx.example.net', from: 'dan@example.net', to: [ANN] };
const STRANGER = { ip: '203.0.113.9', helo: 'mail.example.com', from: 'sales@example.com', to: [ANN] };

const LIST: NonNullable<FilterSettingsInput['lists']>[number] = {
  zone: 'list.example',
  of: 'ip',
  codes: { '127.0.0.2': { score: 6, means: 'sends spam' }, '127.0.0.3': { score: 20, means: 'is hijacked' } },
};

export const CASES_ZONE: Zone = {
  'example.net': {
    MX: [{ preference: 10, exchange: 'mx.example.net' }],
    A: ['198.51.100.20'],
    TXT: ['v=spf1 ip4:198.51.100.20 -all'],
  },
  '_dmarc.example.net': { TXT: ['v=DMARC1; p=reject'] },
  'mx.example.net': { A: ['198.51.100.20'] },
  '20.100.51.198.in-addr.arpa': { PTR: ['mx.example.net'] },
  'example.com': { MX: [{ preference: 10, exchange: 'mail.example.com' }] },
  'mail.example.com': { A: ['203.0.113.9'] },
  '9.113.0.203.in-addr.arpa': { PTR: ['mail.example.com'] },
  '2.0.0.127.list.example': { A: ['127.0.0.2'] },
  '66.113.0.203.list.example': { A: ['127.0.0.2'], TXT: ['https://list.example/203.0.113.66'] },
  '67.113.0.203.list.example': { A: ['127.0.0.2'] },
  '68.113.0.203.list.example': { A: ['127.0.0.3'] },
};

export interface Case {
  readonly title: string;
  readonly prose: string;
  readonly settings?: FilterSettingsInput;
  /** What happens; resolves with what an administrator types behind "postern trace". */
  run(mx: Judged, clock: TestClock): Promise<string>;
  /** A command that is shown as well. */
  readonly also?: readonly string[];
}

function caseNumber(reply: string): string {
  return /\(case (\S+)\)/.exec(reply)?.[1] ?? reply;
}

/** Let something come about that waits on the clock. */
async function waited<T>(clock: TestClock, promise: Promise<T>): Promise<T> {
  let over = false;
  const ended = promise.finally(() => (over = true));
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (!over) await clock.advance(1000);
  }
  return ended;
}

async function rcpt(client: LineClient, address: string): Promise<void> {
  await client.command(`RCPT TO:<${address}>`);
}

async function guessPassword(mx: Judged, ip: string, name: string): Promise<void> {
  const client = await lineClient(mx.server.ports.submission ?? 0);
  client.send(`PROXY TCP4 ${ip} 192.0.2.10 40000 587\r\n`);
  if ((await client.reply()).startsWith('220')) {
    await client.command('EHLO there');
    await client.command(`AUTH PLAIN ${Buffer.from(`\0${name}@example.org\0guess`).toString('base64')}`);
  }
  client.close();
}

function attachment(): string {
  const more =
    'MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name="viewer.exe"\r\n' +
    'Content-Disposition: attachment; filename="viewer.exe"\r\nContent-Transfer-Encoding: base64\r\n';
  return letter({ from: PARTNER.from, to: ANN, more, body: 'TVqQAAMAAAAEAAAA\r\n', date: DATE });
}

const DATE = new Date('2026-01-31T13:59:00Z');

function words(from: string, subject: string): string {
  return letter({ from, to: ANN, subject, date: DATE });
}

export const cases: readonly Case[] = [
  {
    title: 'At connect: the host is on a list of senders of spam',
    prose:
      'Before a word was said, we asked a DNS list about the address, and the list has it. This happens only when you have set a list to refuse. It is nearly always right; when it hits somebody you know, their provider has to clean up, and you can let them in meanwhile.',
    settings: { lists: [{ ...LIST, refuse: true }] },
    async run(mx) {
      await mx.send({ ...STRANGER, ip: '203.0.113.66' });
      return '203.0.113.66';
    },
  },
  {
    title: 'At HELO: the host gives a wrong name of itself',
    prose:
      'A mail server begins by saying its name. This one said `localhost`, which is the name every machine has for itself. Programs that send spam do so, and now and then a real server that nobody has set up; its administrator can mend that in a minute.',
    settings: { helo: 'refuse' },
    async run(mx) {
      await mx.send({ ...STRANGER, helo: 'localhost' });
      return STRANGER.from;
    },
  },
  {
    title: "At MAIL: the sender's domain does not exist",
    prose:
      'Nobody could answer such a mail, and nobody could be told that it did not arrive. Most often the sender is made up; now and then a web shop has a typing error in its settings. The server tells its own administrator what we answered.',
    settings: { unknown_sender_domain: 'refuse' },
    async run(mx) {
      await mx.send({ ...STRANGER, from: 'news@exmaple.com' });
      return 'news@exmaple.com';
    },
  },
  {
    title: 'At MAIL: too many messages from one network',
    prose:
      'You allow so many messages an hour from one network, and this is one more. Nothing is lost: the answer is a temporary one (it begins with 4), and the other server tries again by itself.',
    settings: { messages_per_hour: 2 },
    async run(mx, clock) {
      const busy = { ...STRANGER, ip: '203.0.113.77', from: 'list@example.com' };
      for (const subject of ['First', 'Second'])
        await mx.send({ ...busy, message: words(busy.from, subject) });
      await clock.advance(1000);
      await mx.send(busy);
      return 'list@example.com --limit 1';
    },
  },
  {
    title: 'At RCPT: nobody has this address',
    prose:
      'The address does not exist here. The sender was told so at once by their own server, and can look for the typing error. If the address should exist, make it.',
    async run(mx) {
      const client = await mx.stranger(PARTNER.ip, PARTNER.helo);
      await client.command(`MAIL FROM:<${PARTNER.from}>`);
      await rcpt(client, 'nan@example.org');
      client.close();
      return 'nan@example.org';
    },
  },
  {
    title: 'At RCPT: somebody guesses addresses',
    prose:
      'Who asks for one unknown address after the other is answered more and more slowly, and then the connection ends. Spammers find out this way who exists. A company with an address list of ten years ago meets it too: then allow more.',
    settings: { tarpit_after: 2 },
    async run(mx, clock) {
      const client = await mx.stranger('203.0.113.80', 'mail.example.com');
      await client.command('MAIL FROM:<crawler@example.com>');
      await waited(
        clock,
        (async () => {
          for (const name of ['info', 'sales', 'office', 'admin']) {
            await rcpt(client, `${name}@example.org`);
            await clock.sleep(1000);
          }
        })(),
      );
      client.close();
      return '203.0.113.80';
    },
  },
  {
    title: 'The message is too large',
    prose:
      'The sending server said how large the message is, and that is more than we take, so it was not transferred at all. The sender was told. Large files travel better as a link.',
    async run(mx) {
      const client = await mx.stranger(PARTNER.ip, PARTNER.helo);
      await client.command('MAIL FROM:<video@example.net> SIZE=300000000');
      client.close();
      return 'video@example.net';
    },
  },
  {
    title: 'At DATA: the sending program breaks the rules',
    prose:
      'Lines of a message end in two characters (CR LF); this one had only one of them. Letting it through would let others hide a second message in the first. Only a home-made script or an old device does this: have it hand its mail to a real mail program.',
    async run(mx) {
      await mx.send({ ...STRANGER, ip: '203.0.113.81', message: 'Subject: scan\n\nbare\n\r\n' });
      return '203.0.113.81';
    },
  },
  {
    title: 'Refused as spam',
    prose:
      'What is known of the sender and what the message says leave no doubt. The strongest reasons stand first, with a plus for what speaks against it. The sender was told the case number, and whoever gets a call about it can find the message with that number, look at it and deliver it.',
    settings: { lists: [LIST] },
    async run(mx) {
      const spam = letter({
        from: 'winner@example.com',
        to: ANN,
        subject: 'YOU HAVE WON $$$ 1,000,000 USD !!!',
        body: 'Dear winner, claim your prize now: send your bank account to claim 1,000,000 USD today!!!\r\n',
        date: DATE,
      });
      return caseNumber(
        await mx.send({ ...STRANGER, ip: '203.0.113.68', from: 'winner@example.com', message: spam }),
      );
    },
  },
  {
    title: 'Refused because it is not from whom it says (DMARC)',
    prose:
      'The letter says it is from example.net. That domain publishes which servers send its mail (SPF) and signs it (DKIM), and asks everybody to refuse what is neither (DMARC); this message is neither. It is a forgery, or somebody at example.net sends through a service that they forgot to list, which only they can mend. Forwarders and mailing lists that change mail look the same: if your people use one, name it in `dmarc.forwarders`.',
    async run(mx) {
      const forged = words('dan@example.net', 'Your invoice');
      return caseNumber(await mx.send({ ...STRANGER, from: 'dan@example.net', message: forged }));
    },
  },
  {
    title: 'Refused for its attachment',
    prose:
      'You do not take programs by mail (`attachments.refuse`), whoever sends them. The sender is all right, so a word to them helps: another way to send the file, or an archive with a password if the policy lets that through.',
    settings: { attachments: { refuse: ['executable'] } },
    run: async (mx) => caseNumber(await mx.send({ ...PARTNER, message: attachment() })),
  },
  {
    title: 'Refused for a virus',
    prose:
      'The scanner beside Postern (ClamAV) knows this file. That is nearly always right. A sender you know may have caught something: tell them by telephone, not by mail.',
    run: async (mx) => caseNumber(await mx.send({ ...PARTNER, message: words(PARTNER.from, 'infected') })),
  },
  {
    title: 'Refused because an administrator blocks the sender',
    prose:
      'Somebody here has put the sender on the list for the whole site. `postern filter senders` shows since when, and the note they left. (Blocked by one account only, it goes to the Junk of that account, and nobody is refused.)',
    async run(mx) {
      await mx.said('filter', 'block', '@example.net', '--note', 'newsletters');
      const reply = await mx.send({ ...PARTNER, message: words(PARTNER.from, 'Our offers') });
      await mx.said('filter', 'unlist', '@example.net');
      return caseNumber(reply);
    },
  },
  {
    title: 'Banned from logging in',
    prose:
      'Too many wrong passwords came from this address, so nobody can log in from there for a while; mail from there still comes in. When it was the telephone of one of yours with an old password, set the new one there and lift the ban; when it was an office with many people behind one address, exempt that address.',
    also: ['ban', 'list'],
    async run(mx, clock) {
      for (let i = 0; i < 20; i++) await guessPassword(mx, '203.0.113.90', `user${i}`);
      await mx.server.recorder.flush();
      await clock.advance(60_000);
      await guessPassword(mx, '203.0.113.90', 'ann');
      return '203.0.113.90 --limit 1';
    },
  },
  {
    title: 'Not now: greylisted',
    prose:
      'Nobody here has heard from this sender, and what it sent is not clearly good. Real mail servers come back after some minutes, and then the message is taken; many spam programs never come back. Whom you write to, and who is known, is not asked to wait.',
    settings: { greylist: { mode: 'all' } },
    async run(mx) {
      const first = { ...STRANGER, ip: '203.0.113.91', from: 'first@example.com' };
      await mx.send({ ...first, message: words(first.from, 'Hello') });
      return 'first@example.com';
    },
  },
  {
    title: 'Not refused, but in Junk',
    prose:
      'There are signs against it, and some doubt, so the person can look for themselves. If it is good mail, moving it out of Junk is all there is to do: the filter learns that, for this person first.',
    settings: { lists: [LIST], refuse: 'never' },
    async run(mx) {
      const doubtful = { ...STRANGER, ip: '203.0.113.67', from: 'offers@example.com' };
      await mx.send({ ...doubtful, message: words(doubtful.from, 'Special offers for you') });
      return 'offers@example.com';
    },
  },
  {
    title: 'Not refused at all',
    prose:
      'For comparison: a letter with everything in order. The server is one that the domain sends from (SPF), so the name in From is proven (DMARC), and nothing speaks against it.',
    async run(mx) {
      await mx.send({
        ...PARTNER,
        from: 'eve@example.net',
        message: words('eve@example.net', 'Lunch on Tuesday?'),
      });
      return 'eve@example.net';
    },
  },
];
