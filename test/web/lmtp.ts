import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestServer } from '../support/server.ts';

/** Deliver a message (lines end in LF) by LMTP. Rejects with the server's reply when it does not take it. */
export async function lmtp(
  server: TestServer,
  recipient: string,
  message: string,
  sender = 'sender@example.org',
): Promise<void> {
  const socket = connect({ port: server.ports.lmtp ?? 0, host: '127.0.0.1' });
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const reply = async (): Promise<string> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('the server hung up');
        if (value[3] !== '-') return value;
      }
    };
    const say = async (line: string): Promise<void> => {
      if (line !== '') socket.write(`${line}\r\n`);
      const answer = await reply();
      if (!/^[23]/.test(answer)) throw new Error(answer);
    };
    await say('');
    await say('LHLO test.example');
    await say(`MAIL FROM:<${sender}>`);
    await say(`RCPT TO:<${recipient}>`);
    await say('DATA');
    socket.write(`${message.trimEnd().replaceAll(/\r?\n/g, '\r\n').replaceAll(/^\./gm, '..')}\r\n`);
    await say('.');
  } finally {
    socket.destroy();
  }
}
