import { imapTestServer } from './imap-server.ts';
const s = await imapTestServer();
console.log(s.port);
setTimeout(async () => { console.log('LOG', s.logged, s.ended); await s.close(); process.exit(0); }, 90000);
