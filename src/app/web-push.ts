import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import type { OpenStore } from '../data/open.ts';
import type { PushFetch } from '../net/web-push/send.ts';
import { newVapidKeys, type VapidKeys } from '../net/web-push/vapid.ts';
import { createPushSender, type PushSender } from '../servers/jmap/push-sender.ts';
import type { ServerOptions } from './server.ts';

/** Where the key is kept by which push services know us. Another key would end all subscriptions. */
const KEYS = 'push.vapid';

/** Pushes to devices; undefined where no DNS may be asked, and so no push service. */
export async function createWebPush(parts: {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly store: OpenStore;
  readonly metrics: Metrics;
}): Promise<PushSender | undefined> {
  const { options, clock, store, metrics } = parts;
  const { dns: resolver, logger, config, pushFetch } = options;
  const fetch = resolver === undefined ? undefined : { resolver, clock, ...pushFetch };
  if (fetch === undefined) return undefined;
  const sender = createPushSender({
    store,
    logger,
    metrics,
    keys: await vapidKeys(store),
    subject: `https://${config.hostname}/about`,
    fetch,
  });
  await sender.start();
  return sender;
}

async function vapidKeys(store: OpenStore): Promise<VapidKeys> {
  const text = await store.read.run('directory.setting', { name: KEYS });
  if (text !== undefined) return JSON.parse(text) as VapidKeys;
  const keys = newVapidKeys();
  await store.write.run('directory.setSetting', { name: KEYS, value: JSON.stringify(keys) });
  return keys;
}

/** What tests say of the network instead. */
export type PushFetchOptions = Partial<Omit<PushFetch, 'clock'>>;
