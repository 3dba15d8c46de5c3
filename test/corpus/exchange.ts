import { type LineClient, lineClient } from '../support/smtp-client.ts';

/** Sends messages one after the other over one connection, each with the envelope of the next behind its final dot. */
export async function sendPipelined(
  port: number,
  messages: readonly Buffer[],
  to: string,
): Promise<string[]> {
  const client = await lineClient(port);
  await client.talk(['', '220'], ['EHLO corpus.test\r\n', '250']);
  const envelope = Buffer.from(`MAIL FROM:<sender@corpus.test> BODY=8BITMIME\r\nRCPT TO:<${to}>\r\nDATA\r\n`);
  const replies: string[] = [];
  client.send(envelope);
  for (const [i, octets] of messages.entries()) {
    await client.talk(['', '250'], ['', '250'], ['', '354']);
    const last = i === messages.length - 1;
    client.send(Buffer.concat([stuffed(octets), Buffer.from('.\r\n'), last ? Buffer.alloc(0) : envelope]));
    replies.push(await client.reply());
  }
  await quit(client);
  return replies;
}

/** One message as it is, whatever octets it has. */
export async function sendBinary(port: number, octets: Buffer, to: string): Promise<string> {
  const client = await lineClient(port);
  await client.talk(
    ['', '220'],
    ['EHLO corpus.test\r\n', '250'],
    ['MAIL FROM:<sender@corpus.test> BODY=BINARYMIME\r\n', '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
  );
  client.send(Buffer.concat([Buffer.from(`BDAT ${octets.length} LAST\r\n`), octets]));
  const reply = await client.reply();
  await quit(client);
  return reply;
}

async function quit(client: LineClient): Promise<void> {
  await client.talk(['QUIT\r\n', '221']);
  client.close();
}

/** A dot before each line that begins with one (RFC 5321 section 4.5.2). */
function stuffed(octets: Buffer): Buffer {
  const text = octets.toString('latin1').replaceAll('\r\n.', '\r\n..');
  return Buffer.from(text.startsWith('.') ? `.${text}` : text, 'latin1');
}

/** Why DATA cannot carry a message, or undefined. `maxLine`: octets with CRLF, a stuffed dot included. */
export function unfitForData(octets: Buffer, maxLine: number): string | undefined {
  const text = octets.toString('latin1');
  if (text.includes('\0')) return 'NUL';
  if (/\r(?!\n)/.test(text)) return 'bare CR';
  if (text.split('\r\n').some((line) => line.length + (line.startsWith('.') ? 3 : 2) > maxLine))
    return 'long line';
  return undefined;
}
