import type { Counter } from 'prom-client';
import type { Metrics } from '../../base/metrics.ts';
import { errorText } from '../../base/errors.ts';
import { fileTrouble, readSmallFile } from '../../base/small-file.ts';
import type { Alert, AlertState } from '../../data/alerts/alerts.ts';
import type { WriteArgs } from '../../data/store.ts';
import { postWebhook } from '../../net/webhook.ts';
import type { FlowDeps } from '../deps.ts';
import { noticeMail, type NoticeText } from '../notice-mail.ts';
import { responsible } from '../responsible.ts';
import { type AlertFacts, runChecks } from './checks.ts';
import { digestJson, digestText, dueDigest } from './digest.ts';
import { outsideNotices } from './outside.ts';
import { ALERT_KINDS, type AlertSettings, alertSettingsSchema, defaultAlerts } from './settings.ts';

/** The administrator hears of trouble before users do. */

export interface Alerts {
  /** Look at everything, remember what is wrong, tell what has to be told. One look at a time. */
  look(): Promise<void>;
  /** A mail and a webhook that say nothing but that they come. */
  test(): Promise<{
    /** Inboxes here, and addresses elsewhere. */
    readonly mailed: readonly string[];
    readonly queued: readonly string[];
    readonly webhook: string | undefined;
  }>;
}

export interface AlertParts {
  readonly deps: () => FlowDeps;
  readonly metrics: Metrics;
  readonly facts: () => Promise<AlertFacts>;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
  /** Authorities of the webhook, for tests. */
  readonly ca?: string | undefined;
}

/** Milliseconds before each further try of a webhook. */
const RETRIES = [5_000, 30_000];
const TEST: NoticeText = {
  subject: 'A test of the alerts',
  paragraphs: [
    'This is what an alert would come like. Nothing is wrong.',
    '',
    'postern alert test was called.',
  ],
};

export function createAlerts(parts: AlertParts): Alerts {
  const { deps, metrics } = parts;
  let running: Promise<void> | undefined;
  const open = metrics.gauge('postern_alerts', 'Alerts that are open', ['kind']);
  const sent = metrics.counter('postern_alert_messages_total', 'Digests of alerts, by how they went', [
    'way',
    'outcome',
  ]);

  async function look(): Promise<void> {
    const { store, clock } = deps();
    const settings = await alertSettings(deps());
    const { found, unknown } = runChecks(await parts.facts(), settings);
    const keys = new Set(found.map(({ key }) => key));
    const before = await store.read.run('alerts.list', null);
    const cleared = before
      .filter(({ key, kind, clearedAt }) => clearedAt === undefined && !keys.has(key) && !unknown.has(kind))
      .map(({ key }) => key);
    if (found.length + cleared.length > 0) await store.write.run('alerts.note', { found, cleared });
    const alerts = await store.read.run('alerts.list', null);
    for (const kind of ALERT_KINDS)
      open.set({ kind }, alerts.filter((each) => each.kind === kind && each.clearedAt === undefined).length);
    await tell(alerts, settings, clock.now());
  }

  async function tell(alerts: readonly Alert[], settings: AlertSettings, now: number): Promise<void> {
    const { store, settings: own } = deps();
    const state = await store.read.run('alerts.state', null);
    const digest = dueDigest(alerts, settings, state.mailedAt, now);
    if (digest === undefined) return;
    const told = [...digest.fresh, ...digest.lasting, ...digest.over].map(({ key }) => key);
    const { notices } = await mails(deps(), settings, digestText(digest, own.hostname));
    const next: AlertState = { ...state, mailedAt: now };
    await store.write.run('alerts.told', { keys: told, notices, state: next });
    if (notices.length > 0) sent.inc({ way: 'mail', outcome: 'sent' });
    if (settings.webhook.url === '') return;
    const problem = await sendHook(parts, sent, settings, digestJson(digest, own.hostname, now), RETRIES);
    if ((problem ?? '') !== (state.webhookProblem ?? ''))
      await store.write.run('alerts.told', {
        keys: [],
        notices: [],
        state: { ...next, webhookProblem: problem ?? '' },
      });
  }

  return {
    look() {
      running ??= look().finally(() => {
        running = undefined;
      });
      return running;
    },
    test: () => sendTest(parts, sent),
  };
}

type Sent = Counter<'way' | 'outcome'>;

async function sendTest(parts: AlertParts, sent: Sent): ReturnType<Alerts['test']> {
  const { store, clock, settings: own } = parts.deps();
  const settings = await alertSettings(parts.deps());
  const { notices, mailed, queued } = await mails(parts.deps(), settings, TEST);
  for (const notice of notices) await store.write.run('delivery.accept', notice);
  if (settings.webhook.url === '') return { mailed, queued, webhook: undefined };
  const body = JSON.stringify({
    server: own.hostname,
    at: new Date(clock.now()).toISOString(),
    test: true,
  });
  return { mailed, queued, webhook: (await sendHook(parts, sent, settings, body, [])) ?? '' };
}

/** Resolves to why it was not taken. */
async function sendHook(
  parts: AlertParts,
  sent: Sent,
  { webhook }: AlertSettings,
  body: string,
  pauses: readonly number[],
): Promise<string | undefined> {
  const { clock, dns, logger } = parts.deps();
  const { url, secret_file: file, private: allowPrivate } = webhook;
  let secret: string;
  try {
    secret = (await readSmallFile(file)).toString('utf8').trim();
  } catch (error) {
    return `cannot read ${file}: ${fileTrouble(error)}`;
  }
  const { signal, ca } = parts;
  const options = { url, secret, clock, dns, signal, allowPrivate, ca };
  let problem = await postWebhook(body, options);
  for (const pause of pauses) {
    if (problem === undefined || signal.aborted) break;
    await clock.sleep(pause, signal);
    problem = await postWebhook(body, options);
  }
  sent.inc({ way: 'webhook', outcome: problem === undefined ? 'sent' : 'failed' });
  if (problem !== undefined) logger.error({ problem }, 'alerts: the webhook was not taken');
  return problem;
}

/** For the inboxes of the administrators here, and by the queue for those elsewhere. */
async function mails(
  deps: FlowDeps,
  { mail, mail_to: outside }: AlertSettings,
  text: NoticeText,
): Promise<{ notices: WriteArgs<'delivery.accept'>[]; mailed: string[]; queued: string[] }> {
  const domains = await deps.store.read.run('directory.domains', null);
  const domain = domains.find(({ aliasOf }) => aliasOf === undefined)?.name ?? domains[0]?.name;
  if (domain === undefined) return { notices: [], mailed: [], queued: [] };
  const to = mail ? await responsible(deps, domain) : [];
  const here = to.length === 0 ? [] : [noticeMail(deps, domain, to, text)];
  const notices = [...here, ...(await outsideNotices(deps, domain, outside, text))];
  return { notices, mailed: to.map(({ address }) => address), queued: outside };
}

/** What a later version wrote and this one does not know must not keep anybody from being told. */
export async function alertSettings({ store, logger }: FlowDeps): Promise<AlertSettings> {
  const json = await store.read.run('alerts.settings', null);
  if (json === undefined) return defaultAlerts;
  try {
    return alertSettingsSchema.parse(JSON.parse(json));
  } catch (error) {
    logger.error({ error: errorText(error) }, 'alerts: the settings cannot be used; the defaults hold');
    return defaultAlerts;
  }
}
