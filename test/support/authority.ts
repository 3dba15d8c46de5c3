/** A certificate authority for tests, made with the openssl program. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';

export interface Issued {
  /** PEM: the certificate, then those above it up to the one before the root. */
  readonly cert: string;
  readonly key: string;
  /** DER of the certificate alone. */
  readonly der: Buffer;
}

export interface Authority extends Issued {
  issue(names: readonly string[], options?: { days?: number; bare?: boolean }): Issued;
  /** An authority below this one. */
  below(name: string): Authority;
}

/** A root that is valid from today for 25 years, so for tests whose clock stands in 2030 too. */
export function createAuthority(name = 'Test Root'): Authority {
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  return authority(make(name, extensions, 9000), '');
}

/** A certificate signed with the key of one that may not sign others. */
export function issuedBy(signer: Issued, name: string): Issued {
  return make(name, ['basicConstraints=CA:FALSE', `subjectAltName=DNS:${name}`], 9000, signer);
}

function authority(self: Issued, chain: string): Authority {
  return {
    ...self,
    issue(names, { days = 9000, bare = false } = {}) {
      const san =
        names.length === 0 ? [] : [`subjectAltName=${names.map((each) => `DNS:${each}`).join(',')}`];
      // Without identifiers of keys, issuers are told by their names alone.
      const ids = bare ? ['authorityKeyIdentifier=none', 'subjectKeyIdentifier=none'] : [];
      const made = make(names[0] ?? 'x', ['basicConstraints=CA:FALSE', ...ids, ...san], days, self);
      return { ...made, cert: made.cert + chain };
    },
    below(name) {
      const made = make(
        name,
        ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'],
        9000,
        self,
      );
      return authority(made, made.cert + chain);
    },
  };
}

function make(commonName: string, extensions: readonly string[], days: number, issuer?: Issued): Issued {
  const directory = mkdtempSync(join(tmpdir(), 'postern-ca-'));
  const path = (file: string): string => join(directory, file);
  try {
    const args = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-sha256',
    ];
    args.push('-keyout', path('key.pem'), '-out', path('cert.pem'), '-subj', `/CN=${commonName}`);
    args.push('-days', String(days), '-config', path('empty.cnf'));
    for (const extension of extensions) args.push('-addext', extension);
    writeFileSync(path('empty.cnf'), '[req]\ndistinguished_name=dn\n[dn]\n');
    if (issuer !== undefined) {
      writeFileSync(path('ca.pem'), new X509Certificate(issuer.der).toString());
      writeFileSync(path('ca.key'), issuer.key);
      args.push('-CA', path('ca.pem'), '-CAkey', path('ca.key'));
    }
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'ignore'] });
    const cert = readFileSync(path('cert.pem'), 'utf8');
    return {
      cert,
      key: readFileSync(path('key.pem'), 'utf8'),
      der: Buffer.from(new X509Certificate(cert).raw),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
