import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type DkimKeyPair, keyRecordText } from '../../../src/mail/dkim/keys.ts';
import { stopTree } from '../processes.ts';
import { defer } from '../resources.ts';

const MAIN = fileURLToPath(new URL('./dns.main.ts', import.meta.url));

export interface BenchDns {
  readonly port: number;
  /** Questions so far. */
  asked(): Promise<number>;
}

/** One DNS server for all systems of a run; it stops with the run. */
export async function startDns(key: Pick<DkimKeyPair, 'algorithm' | 'publicKeyBase64'>): Promise<BenchDns> {
  const child = fork(MAIN, [keyRecordText(key)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  defer(() => stopTree(child.pid ?? 0));
  const [started] = (await once(child, 'message')) as [{ port: number }];
  return {
    port: started.port,
    async asked() {
      child.send('asked');
      const [{ asked }] = (await once(child, 'message')) as [{ asked: number }];
      return asked;
    },
  };
}
