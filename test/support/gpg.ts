import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Signatures as GnuPG makes them. Tests skip where `NO_GPG` is a sentence. */
export const NO_GPG: string | false =
  spawnSync('gpg', ['--version']).status === 0 ? false : 'there is no gpg';

export interface Gpg {
  /** Run it; what it writes. */
  run(args: readonly string[], input?: string | Buffer): Buffer;
  /** A new key; its fingerprint. `faked`: the clock as gpg has it ("20240101T000000!"). */
  key(user: string, algorithm: string, expires?: string, faked?: string): string;
  publicKey(fingerprint: string): Buffer;
  detached(fingerprint: string, content: string | Buffer, ...more: string[]): Buffer;
  clear(fingerprint: string, text: string | Buffer, ...more: string[]): Buffer;
  close(): void;
}

export function startGpg(): Gpg {
  // Sockets have short paths.
  const home = mkdtempSync(join(tmpdir(), 'gpg-'));
  const env = { ...process.env, GNUPGHOME: home, LC_ALL: 'C' };
  const run = (args: readonly string[], input: string | Buffer = ''): Buffer =>
    execFileSync(
      'gpg',
      ['--batch', '--no-tty', '--quiet', '--yes', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
      {
        env,
        input,
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
  const faking = (faked?: string): string[] => (faked === undefined ? [] : ['--faked-system-time', faked]);
  writeFileSync(join(home, 'gpg.conf'), 'trust-model always\nno-auto-check-trustdb\n');
  return {
    run,
    key(user, algorithm, expires = 'never', faked) {
      run([...faking(faked), '--quick-generate-key', user, algorithm, 'sign', expires]);
      const listed = run(['--list-keys', '--with-colons', user]).toString();
      const all = [...listed.matchAll(/^fpr:+([0-9A-F]{40}):/gm)].map(([, found = '']) => found);
      return all.at(-1) ?? '';
    },
    publicKey: (fingerprint) => run(['--armor', '--export', fingerprint]),
    detached: (fingerprint, content, ...more) =>
      run([...more, '--armor', '--local-user', fingerprint, '--detach-sign'], content),
    clear: (fingerprint, text, ...more) => run([...more, '--local-user', fingerprint, '--clear-sign'], text),
    close() {
      spawnSync('gpgconf', ['--kill', 'all'], { env });
      rmSync(home, { recursive: true, force: true });
    },
  };
}
