import { imapTestServer } from './imap-server.ts';

/** An IMAP server in a process of its own: it says its port, and what it logged when its input ends. */
const server = await imapTestServer();
process.stdout.write(`${server.port}\n`);
process.stdin.resume();
process.stdin.once('end', () => {
  process.stdout.write(`${server.logged.length}\n`);
  process.exit(0);
});
