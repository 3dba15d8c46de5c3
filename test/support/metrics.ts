import { tableDns } from './dns-table.ts';
import { startTestServer } from './server.ts';

/** One metric as a server registers it at its start. */
export interface RegisteredMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** All metrics of a server, by name. */
export async function registeredMetrics(): Promise<readonly RegisteredMetric[]> {
  // With DNS, for without it nothing goes to devices.
  await using server = await startTestServer({
    processMetrics: true,
    accounts: ['alice@example.test'],
    dns: tableDns({}, false),
  });
  const { registry } = server.metrics;
  const described = await registry.getMetricsAsJSON();
  return described
    .map(({ name, type, help }) => {
      const metric: unknown = registry.getSingleMetric(name);
      return { name, type: String(type), labels: labelsOf(metric), help };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** prom-client keeps them in a field that its types do not tell of. */
function labelsOf(metric: unknown): string[] {
  if (typeof metric !== 'object' || metric === null || !('labelNames' in metric)) return [];
  const { labelNames } = metric;
  return Array.isArray(labelNames) ? labelNames.map(String).filter((name) => name !== 'le') : [];
}
