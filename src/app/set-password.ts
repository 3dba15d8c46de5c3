import { systemClock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { randomToken } from '../base/ids.ts';
import { createLogger } from '../base/log.ts';
import { hashPassword } from '../data/directory/passwords.ts';
import type { Actor } from '../data/directory/types.ts';
import { openStore } from '../data/open.ts';
import { askTerminal, readPasswordFromStdin } from './ask.ts';
import { lockDirectory } from './lock.ts';

const GENERATED_LENGTH = 20;
/** The lock shows that no server runs; the audit shows how it was done. */
const ACTOR: Actor = { name: 'serve --set-password', role: 'system', domainId: undefined };

/**
 * Set a password in the data of a server that does not run: for one that refuses to start because of a password. Call
 * it as the user who owns the data. Throws a `Refusal` when a server has the data, or there is no such account.
 */
export async function setPasswordOffline(data: string, address: string): Promise<number> {
  const lock = lockDirectory(data);
  try {
    const logger = createLogger({ level: 'warn', pretty: true });
    const store = await openStore({ directory: data, clock: systemClock, logger });
    try {
      // Before a person types a password twice for an account that does not exist.
      const account = await store.read.run('directory.account', { address });
      if (account === undefined) throw new Refusal('no-such-account', `there is no account ${address}`);
      const given = await askPassword(account.address);
      const password = given === '' ? randomToken(GENERATED_LENGTH) : given;
      const secrets = await hashPassword(password);
      await store.write.run('directory.setPassword', { actor: ACTOR, address: account.address, ...secrets });
      const shown = given === '' ? `Password: ${password}\nIt is not shown again.\n` : '';
      process.stdout.write(`${account.address} has a new password.\n${shown}`);
      return 0;
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}

/** '' when one is to be made up. */
async function askPassword(address: string): Promise<string> {
  if (!process.stdin.isTTY) return readPasswordFromStdin();
  const ask = askTerminal();
  try {
    return await ask.password(`New password of ${address} (empty: one is made up)`);
  } finally {
    ask.close();
  }
}
