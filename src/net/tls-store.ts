import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { every, type Clock } from '../base/clock.ts';
import { errorText, Refusal } from '../base/errors.ts';
import { PEM_FILE_BYTES, readSmallFile } from '../base/small-file.ts';
import { createServerContext, type TlsProfile } from './tls-context.ts';
import type { CertificatePair } from './tls-self-signed.ts';
import type { TlsSource, TlsValidations } from './tls.ts';

/** A certificate (with its chain) and its key, as PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateInfo {
  /** DNS names and addresses it is valid for, lower case. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Where it came from; undefined for one that was handed in. */
  readonly certFile: string | undefined;
  /** SHA-256 of its SubjectPublicKeyInfo, hex: what a TLSA 3 1 1 record says (RFC 7671 section 5.1). */
  readonly keySha256?: string;
}

export interface ReloadReport {
  /** Whether new contexts are in use. */
  readonly changed: boolean;
  /** One sentence for each pair that could not be used; the one before stays. */
  readonly problems: readonly string[];
}

export interface TlsStore {
  /** Contexts for one service; call it once and keep it. `service` separates session resumption between protocols. */
  source(service: string, profile: TlsProfile): TlsSource;
  /** Read the files again. Never throws: a pair that is unreadable or does not fit leaves the old one in use. */
  reload(): Promise<ReloadReport>;
  /**
   * Use these certificates (an ACME client's) beside the files'; throws a `Refusal` when one is unusable. Sessions go on
   * with what they have; those installed before and not named again are no longer served.
   */
  install(pairs: readonly CertificatePair[]): void;
  /** Have all services answer validations of names (RFC 8737). */
  answerValidations(validations: TlsValidations): void;
  certificates(): readonly CertificateInfo[];
  /** Look at the files every `ms` milliseconds and reload when one changed. */
  watch(ms: number, onReload: (report: ReloadReport) => void): { stop(): void };
}

export interface TlsStoreOptions {
  /** The first is served to clients that name no server, or one we do not know. */
  readonly files: readonly CertificateFiles[];
  readonly clock: Clock;
  /** 32 octets or more, the same in every process that serves the same names; random tickets per process when absent. */
  readonly ticketSecret?: Buffer;
  /** Of key files that are encrypted: PKCS #8, or the older PEM form with a DEK-Info line. */
  readonly passphrase?: string | undefined;
}

/** A pair that passed its checks. */
interface Loaded {
  readonly pair: CertificatePair;
  readonly info: CertificateInfo;
  /** Contexts by service, made when first asked for. */
  readonly contexts: Map<string, SecureContext>;
}

/** Load all pairs; throws a `Refusal` naming the file when one cannot be used. */
export async function openTlsStore(options: TlsStoreOptions): Promise<TlsStore> {
  const { files, clock } = options;
  const fromFiles: (Loaded | undefined)[] = [];
  for (const pair of files) fromFiles.push(await loadFiles(pair, options.passphrase));
  let installed: Loaded[] = [];
  let validations: TlsValidations | undefined;
  let fingerprint = await fingerprintOf(files);
  let byName = indexByName([...fromFiles, ...installed]);

  function pick(serverName: string | undefined): Loaded | undefined {
    const named = serverName === undefined ? undefined : findByName(byName, serverName.toLowerCase());
    return named ?? fromFiles.find((loaded) => loaded !== undefined) ?? installed[0];
  }

  function source(service: string, profile: TlsProfile): TlsSource {
    return {
      get validations() {
        return validations;
      },
      context(serverName) {
        const loaded = pick(serverName);
        return loaded && contextOf(loaded, { service, profile, ticketSecret: options.ticketSecret });
      },
    };
  }

  async function reload(): Promise<ReloadReport> {
    const seen = await fingerprintOf(files);
    const report = await reloadInto(fromFiles, files, options.passphrase);
    fingerprint = seen;
    if (report.changed) byName = indexByName([...fromFiles, ...installed]);
    return report;
  }

  return {
    source,
    reload,
    install(pairs) {
      // One that stays keeps its contexts, and with them the tickets that clients hold.
      const same = (a: CertificatePair, b: CertificatePair): boolean => a.cert === b.cert && a.key === b.key;
      installed = pairs.map(
        (pair) => installed.find((one) => same(one.pair, pair)) ?? check(pair, undefined),
      );
      byName = indexByName([...fromFiles, ...installed]);
    },
    answerValidations(given) {
      validations = given;
    },
    certificates: () => [...fromFiles, ...installed].flatMap((loaded) => (loaded ? [loaded.info] : [])),
    watch(ms, onReload) {
      const timer = every(clock, ms, async () => {
        if ((await fingerprintOf(files)) === fingerprint) return;
        onReload(await reload());
      });
      return { stop: () => timer.cancel() };
    },
  };
}

/** The context of a pair for a service, made when it is first asked for. */
function contextOf(
  { pair, contexts }: Loaded,
  use: {
    readonly service: string;
    readonly profile: TlsProfile;
    readonly ticketSecret: Buffer | undefined;
  },
): SecureContext {
  const { service, profile, ticketSecret } = use;
  const key = `${profile} ${service}`;
  let context = contexts.get(key);
  if (context === undefined) {
    context = createServerContext({ ...pair, profile, service, ...(ticketSecret && { ticketSecret }) });
    contexts.set(key, context);
  }
  return context;
}

/** Read all pairs again; those that are new and good replace their predecessor in `current`. */
async function reloadInto(
  current: (Loaded | undefined)[],
  files: readonly CertificateFiles[],
  passphrase: string | undefined,
): Promise<ReloadReport> {
  const problems: string[] = [];
  let changed = false;
  for (const [index, pair] of files.entries()) {
    try {
      const loaded = await loadFiles(pair, passphrase);
      const old = current[index];
      if (old?.pair.cert === loaded.pair.cert && old.pair.key === loaded.pair.key) continue;
      current[index] = loaded;
      changed = true;
    } catch (error) {
      problems.push(errorText(error));
    }
  }
  return { changed, problems };
}

/** A source of one certificate that never changes, for the try-out and tests. */
export function fixedTlsSource(
  pair: CertificatePair,
  service: string,
  profile: TlsProfile = 'strict',
): TlsSource {
  const context = createServerContext({ ...pair, service, profile });
  return { context: () => context };
}

async function loadFiles(files: CertificateFiles, passphrase: string | undefined): Promise<Loaded> {
  const [cert, key] = await Promise.all([readPem(files.certFile), readPem(files.keyFile)]);
  return check({ cert, key: unlocked(key, files.keyFile, passphrase) }, files);
}

/** A key that is encrypted as one that is not: in memory only. */
function unlocked(key: string, file: string, passphrase: string | undefined): string {
  if (!/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) return key;
  if (passphrase === undefined)
    throw new Refusal('bad-input', `${file} is encrypted, and its passphrase is not given`);
  try {
    const opened = createPrivateKey({ key, passphrase });
    return opened.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    throw new Refusal('bad-input', `${file} cannot be opened with the passphrase that is given`);
  }
}

async function readPem(path: string): Promise<string> {
  try {
    return (await readSmallFile(path, PEM_FILE_BYTES)).toString('latin1');
  } catch (error) {
    throw new Refusal('bad-input', `cannot read ${path}: ${errorText(error)}`);
  }
}

/** Parse the pair and see that key and certificate belong together. */
function check(pair: CertificatePair, files: CertificateFiles | undefined): Loaded {
  const certName = files?.certFile ?? 'the certificate';
  const keyName = files?.keyFile ?? 'its key';
  const certificate = attempt(
    () => new X509Certificate(pair.cert),
    `${certName} holds no usable PEM certificate`,
  );
  const key = attempt(() => createPrivateKey(pair.key), `${keyName} holds no usable PEM private key`);
  if (!certificate.checkPrivateKey(key)) {
    throw new Refusal('bad-input', `${keyName} is not the key of ${certName}`);
  }
  // OpenSSL has its own opinion (key too small, broken chain): hear it now, not at the first handshake.
  attempt(
    () => createServerContext({ ...pair, profile: 'strict', service: 'check' }),
    `${certName} cannot be served`,
  );
  return {
    pair,
    info: {
      names: namesOf(certificate),
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
      certFile: files?.certFile,
      keySha256: keyDigest(certificate),
    },
    contexts: new Map(),
  };
}

function keyDigest({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function attempt<T>(fn: () => T, what: string): T {
  try {
    return fn();
  } catch (error) {
    throw new Refusal('bad-input', `${what}: ${errorText(error)}`);
  }
}

/** The alternative names, which are all that counts (RFC 9525 section 6.3). */
function namesOf(certificate: X509Certificate): string[] {
  const text = certificate.subjectAltName ?? '';
  return text.split(', ').flatMap((entry) => {
    const name = /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

/** The first pair that names a host serves it. */
function indexByName(all: readonly (Loaded | undefined)[]): Map<string, Loaded> {
  const index = new Map<string, Loaded>();
  for (const loaded of all) {
    for (const name of loaded?.info.names ?? []) {
      if (loaded !== undefined && !index.has(name)) index.set(name, loaded);
    }
  }
  return index;
}

/** Exact, or by a wildcard for the whole leftmost label (RFC 9525 section 6.3). */
function findByName(index: Map<string, Loaded>, name: string): Loaded | undefined {
  const dot = name.indexOf('.');
  return index.get(name) ?? (dot > 0 ? index.get(`*${name.slice(dot)}`) : undefined);
}

/** Changes when any file was written or replaced; a missing file has its place too. */
async function fingerprintOf(files: readonly CertificateFiles[]): Promise<string> {
  const parts = files
    .flatMap(({ certFile, keyFile }) => [certFile, keyFile])
    .map(async (path) => {
      try {
        const { ino, mtimeMs, size } = await stat(path);
        return `${ino}:${mtimeMs}:${size}`;
      } catch {
        return 'missing';
      }
    });
  return (await Promise.all(parts)).join(' ');
}
