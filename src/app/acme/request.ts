import { errorText, Refusal } from '../../base/errors.ts';
import { within } from '../../base/tracing.ts';
import { directoryOf, type WantedCertificate } from '../../data/certificates/settings.ts';
import { AcmeFailure } from '../../net/acme/failure.ts';
import { type Authority, fraction, issue, openAuthority } from './issue.ts';
import { eventOf, haveOf, install, type Keeping, readCertificates } from './keeping.ts';
import { retryAt } from './schedule.ts';

/** What became of one certificate that was asked for. */
export interface Renewed {
  readonly name: string;
  readonly notAfter?: number;
  /** Why there is no new one. */
  readonly failure?: string;
}

/** One request; what came of it is kept, told, and served. */
export async function request(
  keeping: Keeping,
  authority: Authority,
  want: WantedCertificate,
): Promise<Renewed> {
  return within(keeping.tracer?.start('acme certificate', { kind: 'client' }), async (span) => {
    span?.set({ 'server.address': new URL(authority.directory).host, 'postern.certificate': want.name });
    const renewed = await requestOne(keeping, authority, want);
    if (renewed.failure !== undefined) span?.fail('no certificate');
    return renewed;
  });
}

async function requestOne(keeping: Keeping, authority: Authority, want: WantedCertificate): Promise<Renewed> {
  const { signal, settings } = keeping;
  try {
    const solver = await keeping.solver(settings, want.names, signal);
    const before = haveOf(keeping, want.name);
    const issued = await issue(keeping, authority, settings, want, solver, before);
    await keep(keeping, authority.directory, want, issued, before?.issued !== undefined);
    return { name: want.name, notAfter: issued.notAfter };
  } catch (error) {
    if (signal.aborted) return { name: want.name, failure: 'the server stops' };
    return await failed(keeping, authority.directory, want, error);
  } finally {
    await readCertificates(keeping);
    install(keeping);
  }
}

async function keep(
  keeping: Keeping,
  directory: string,
  { name, names }: WantedCertificate,
  issued: Awaited<ReturnType<typeof issue>>,
  renewal: boolean,
): Promise<void> {
  const { store, clock, logger, requests } = keeping;
  const { notAfter: until, renewAt } = issued;
  const authority = new URL(directory).host;
  const facts = { name, names, authority, until, renewAt, renewal };
  const events = [eventOf(keeping, 'certificate.issued', names, facts)];
  await store.write.run('certificates.issued', { ...issued, name, directory, askAt: clock.now(), events });
  logger.info({ names, authority, until: new Date(until).toISOString() }, 'acme: new certificate in use');
  requests.inc({ outcome: 'issued' });
}

async function failed(
  keeping: Keeping,
  directory: string,
  { name, names }: WantedCertificate,
  error: unknown,
): Promise<Renewed> {
  const { store, clock, logger, requests } = keeping;
  const known = error instanceof AcmeFailure || error instanceof Refusal;
  const reason = known ? error.message : `a mistake of the program: ${errorText(error)}`;
  const [type, wait] = error instanceof AcmeFailure ? [error.type, error.retryAfterMs] : ['', undefined];
  const failures = haveOf(keeping, name)?.failures ?? 0;
  const again = retryAt(clock.now(), failures, wait, fraction());
  const authority = new URL(directory).host;
  const facts = { name, names, authority, type, reason, failures: failures + 1, retryAt: again };
  const events = [eventOf(keeping, 'certificate.failed', names, facts)];
  await store.write.run('certificates.failed', { name, directory, reason, retryAt: again, events });
  const stack = !known && error instanceof Error ? { stack: error.stack } : {};
  const next = new Date(again).toISOString();
  logger.warn({ names, authority, type, reason, retryAt: next, ...stack }, 'acme: no certificate');
  requests.inc({ outcome: 'failed' });
  return { name, failure: reason };
}

/** An authority that cannot even be opened has failed for all that were to be requested: they are answered. */
export async function withAuthority(
  keeping: Keeping,
  due: readonly WantedCertificate[],
  run: (authority: Authority) => Promise<void>,
): Promise<readonly Renewed[]> {
  const { settings, logger } = keeping;
  let authority: Authority;
  try {
    authority = await openAuthority(keeping, settings);
  } catch (error) {
    logger.warn({ error: errorText(error) }, 'acme: the authority cannot be used');
    const outcomes: Renewed[] = [];
    for (const want of due) outcomes.push(await failed(keeping, directoryOf(settings), want, error));
    await readCertificates(keeping);
    return outcomes;
  }
  try {
    await run(authority);
    return [];
  } finally {
    authority.close();
  }
}
