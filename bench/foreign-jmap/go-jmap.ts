import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../support/processes.ts';
import { arrived } from './aerc.ts';
import type { Site } from './site.ts';
import type { Steps } from './steps.ts';

/** Build main.go beside this file with the Go and the go-jmap under `root`, and run it. What is missing, or undefined. */
export async function tryGoJmap(root: string, site: Site, { step }: Steps): Promise<string | undefined> {
  const [go, sources] = [join(root, 'usr/lib/go-1.24'), join(root, 'usr/share/gocode')];
  const library = join(sources, 'src/git.sr.ht/~rockorager/go-jmap');
  for (const path of [join(go, 'bin/go'), library]) if (!existsSync(path)) return `there is no ${path}`;
  const { home, address, password, recorder } = site;
  await writeFile(join(home, 'cert.pem'), recorder.certificate);
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    GOROOT: go,
    GOPATH: sources,
    GO111MODULE: 'off',
    GOFLAGS: '-p=2',
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
  };
  const program = join(home, 'go-jmap');
  await step('compiles', () =>
    run(join(go, 'bin/go'), ['build', '-o', program, join(import.meta.dirname, 'go-jmap/main.go')], { env }),
  );
  if (!existsSync(program)) return 'it did not compile';
  const { stdout } = await run(program, [], {
    env: {
      SSL_CERT_FILE: join(home, 'cert.pem'),
      SESSION_URL: `https://127.0.0.1:${recorder.port}/.well-known/jmap`,
      USER: address,
      PASSWORD: password,
    },
  });
  for (const line of stdout.trim().split('\n')) {
    const [, what = line, said = ''] = /^(.*?): (.*)$/.exec(line) ?? [];
    await step(what, () => (said === 'works' ? Promise.resolve() : Promise.reject(new Error(said))));
  }
  const alice = await site.client('alice@example.test');
  await step('what was sent arrives', () => arrived(alice, 'sent from Go', false));
  return undefined;
}
