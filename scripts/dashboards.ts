/**
 * `node scripts/dashboards.ts`: write the Grafana dashboards of deploy/monitoring/grafana; with --check only compare. A
 * dashboard is a few rows of panels, a panel a title and its queries.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Panel {
  readonly title: string;
  readonly kind?: 'timeseries' | 'stat' | 'table' | 'bargauge';
  /** Grafana's name of it: s, bytes, percentunit, short, ops. */
  readonly unit?: string;
  /** Of 24. */
  readonly width?: number;
  /** PromQL, with what a line of it is called. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

const rate = (metric: string, by: string, labels = ''): readonly [string, string] => [
  `sum by (${by}) (rate(${metric}${labels}[$__rate_interval]))`,
  by
    .split(', ')
    .map((label) => `{{${label}}}`)
    .join(' '),
];
const quantiles = (metric: string, labels = ''): Panel['queries'] =>
  [0.5, 0.95, 0.99].map((q) => [
    `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket${labels}[$__rate_interval])))`,
    `${q * 100} %`,
  ]);
const slowest = (metric: string, by: string): Panel['queries'] => [
  [`histogram_quantile(0.95, sum by (le, ${by}) (rate(${metric}_bucket[$__rate_interval])))`, `{{${by}}}`],
];
const stat = (title: string, expr: string, unit = 'short', legend = ''): Panel => ({
  title,
  unit,
  kind: 'stat',
  width: 4,
  queries: [[expr, legend]],
});

const loginsFailed = 'outcome="failed"';

export const dashboards: readonly Dashboard[] = [
  {
    uid: 'postern-main',
    title: 'Postern: main',
    rows: [
      {
        title: 'Is all well',
        panels: [
          stat('Alerts', 'sum(postern_alerts)'),
          stat('Certificate ends in', 'min(postern_certificate_expiry_seconds)', 's'),
          stat('Queue', 'sum(postern_queue_recipients)'),
          stat('Oldest in the queue', 'max(postern_queue_oldest_seconds{state="queued"})', 's'),
          stat('Disk free', 'postern_store_free_bytes / postern_disk_size_bytes', 'percentunit'),
          stat('New mail put off', 'max(postern_disk_low)'),
          stat('Backup age', 'max(postern_backup_age_seconds)', 's'),
          stat('Unread mail of administrators', 'sum(postern_administrator_unread_messages)'),
          stat('Mail in all', 'sum(postern_mail_bytes)', 'bytes'),
          stat('Accounts', 'max(postern_accounts)'),
          stat('Bans', 'sum(postern_bans_active)'),
          stat('Mail from Amazon waits', 'max(postern_intake_oldest_seconds)', 's'),
        ],
      },
      {
        title: 'Mail',
        panels: [
          {
            title: 'Received and sent',
            unit: 'ops',
            queries: [rate('postern_smtp_messages_total', 'protocol, outcome')],
          },
          {
            title: 'Delivered to mailboxes',
            unit: 'ops',
            queries: [
              [
                'sum(rate(postern_events_total{kind="message.deposited"}[$__rate_interval]))',
                'into mailboxes',
              ],
              rate('postern_delivery_recipients_total', 'outcome'),
            ],
          },
          {
            title: 'Largest mailboxes',
            kind: 'bargauge',
            unit: 'bytes',
            queries: [['topk(10, postern_account_mail_bytes)', '{{account}}']],
          },
          { title: 'Mail by domain', unit: 'bytes', queries: [['postern_mail_bytes', '{{domain}}']] },
        ],
      },
      {
        title: 'The machine',
        panels: [
          {
            title: 'Memory',
            unit: 'bytes',
            queries: [
              ['postern_system_memory_bytes', '{{kind}}'],
              ['process_resident_memory_bytes{job="postern"}', 'postern'],
            ],
          },
          {
            title: 'Load',
            queries: [
              ['postern_system_load', '{{minutes}} min'],
              ['postern_system_cpus', 'processors'],
            ],
          },
          {
            title: 'Disk',
            unit: 'bytes',
            queries: [
              ['postern_store_free_bytes', 'free'],
              ['postern_disk_reserve_bytes', 'kept back'],
              ['postern_store_database_bytes', 'database'],
            ],
          },
          {
            title: 'Event loop lag',
            unit: 's',
            queries: [
              ['nodejs_eventloop_lag_p50_seconds', 'half'],
              ['nodejs_eventloop_lag_p99_seconds', '99 %'],
            ],
          },
          {
            title: 'Descriptors',
            queries: [
              ['process_open_fds', 'open'],
              ['process_max_fds', 'at most'],
            ],
          },
          {
            title: 'Faults',
            queries: [
              ['sum by (job) (increase(postern_job_failures_total[1h]))', 'job {{job}}'],
              ['increase(postern_events_dropped_total[1h])', 'events lost'],
              ['postern_store_reopened', 'store opened again'],
              ['sum by (kind) (increase(postern_store_failures_total[1h]))', 'store, {{kind}}'],
              ['increase(postern_trace_spans_total{outcome="dropped"}[1h])', 'spans dropped'],
            ],
          },
        ],
      },
      {
        title: 'The parts within',
        panels: [
          { title: 'Store, slowest 5 %', unit: 's', queries: slowest('postern_store_seconds', 'kind') },
          { title: 'Store, under way', queries: [['postern_store_waiting', '{{kind}}']] },
          {
            title: 'Store, asked',
            unit: 'ops',
            queries: [rate('postern_store_seconds_count', 'kind')],
          },
          { title: 'DNS answers', unit: 'ops', queries: [rate('postern_dns_seconds_count', 'outcome')] },
          { title: 'DNS, slowest 5 %', unit: 's', queries: slowest('postern_dns_seconds', 'outcome') },
          {
            title: 'HTTP requests',
            unit: 'ops',
            queries: [rate('postern_http_request_seconds_count', 'server, class')],
          },
          {
            title: 'HTTP, slowest 5 %',
            unit: 's',
            queries: slowest('postern_http_request_seconds', 'server'),
          },
          { title: 'Jobs, slowest 5 %', unit: 's', queries: slowest('postern_job_seconds', 'job') },
        ],
      },
    ],
  },
  {
    uid: 'postern-smtp',
    title: 'Postern: SMTP in',
    rows: [
      {
        title: 'Connections',
        panels: [
          { title: 'Let in', unit: 'ops', queries: [rate('postern_connections_total', 'listener')] },
          {
            title: 'Refused',
            unit: 'ops',
            queries: [rate('postern_connections_refused_total', 'listener, reason')],
          },
          { title: 'Sessions open', queries: [['postern_smtp_sessions', '{{protocol}}']] },
          {
            title: 'Part with TLS',
            unit: 'percentunit',
            queries: [
              [
                'sum by (protocol) (rate(postern_smtp_starttls_total[$__rate_interval])) / sum by (protocol) (rate(postern_smtp_sessions_total[$__rate_interval]))',
                '{{protocol}}',
              ],
            ],
          },
        ],
      },
      {
        title: 'Commands',
        panels: [
          {
            title: 'Commands',
            unit: 'ops',
            queries: [rate('postern_smtp_commands_total', 'protocol, command')],
          },
          { title: 'Slowest 5 %', unit: 's', queries: slowest('postern_smtp_command_seconds', 'command') },
          { title: 'Replies', unit: 'ops', queries: [rate('postern_smtp_replies_total', 'class')] },
          { title: 'From DATA to its answer', unit: 's', queries: quantiles('postern_smtp_message_seconds') },
        ],
      },
      {
        title: 'Messages',
        panels: [
          {
            title: 'By outcome',
            unit: 'ops',
            queries: [rate('postern_smtp_messages_total', 'protocol, outcome')],
          },
          { title: 'Octets', unit: 'Bps', queries: [rate('postern_smtp_message_octets_total', 'protocol')] },
          {
            title: 'Refused before the data',
            unit: 'ops',
            queries: [
              rate('postern_gate_refused_total', 'check'),
              rate(
                'postern_events_total',
                'kind',
                '{kind=~"mail.refused|recipient.refused|message.refused"}',
              ),
            ],
          },
          {
            title: 'Questions without an answer',
            unit: 'ops',
            queries: [['sum(rate(postern_gate_unchecked_total[$__rate_interval]))', 'unanswered']],
          },
        ],
      },
    ],
  },
  {
    uid: 'postern-queue',
    title: 'Postern: queue and delivery',
    rows: [
      {
        title: 'Queue',
        panels: [
          { title: 'Recipients', queries: [['postern_queue_recipients', '{{state}}']] },
          { title: 'Oldest', unit: 's', queries: [['postern_queue_oldest_seconds', '{{state}}']] },
          { title: 'Attempts under way', queries: [['postern_delivery_active', 'attempts']] },
          { title: 'Addresses on the suppression list', queries: [['postern_suppressions', 'addresses']] },
        ],
      },
      {
        title: 'Delivery',
        panels: [
          {
            title: 'By outcome',
            unit: 'ops',
            queries: [rate('postern_delivery_recipients_total', 'outcome')],
          },
          {
            title: 'By way',
            unit: 'ops',
            queries: [rate('postern_delivery_transport_recipients_total', 'transport, outcome')],
          },
          { title: 'Delay', unit: 's', queries: quantiles('postern_delivery_delay_seconds') },
          { title: 'Time of an attempt', unit: 's', queries: quantiles('postern_delivery_attempt_seconds') },
          {
            title: 'TLS',
            unit: 'percentunit',
            queries: [
              [
                'sum by (tls) (rate(postern_delivery_tls_total{tls!="local"}[$__rate_interval])) / ignoring (tls) group_left sum(rate(postern_delivery_tls_total{tls!="local"}[$__rate_interval]))',
                '{{tls}}',
              ],
            ],
          },
          {
            title: 'Possible duplicates',
            queries: [
              ['increase(postern_delivery_lost_replies_total[1h])', 'lost replies'],
              ['increase(postern_delivery_interrupted_total[1h])', 'interrupted'],
            ],
          },
          { title: 'Ways refused', queries: [['postern_route_refused', '{{transport}}']] },
        ],
      },
    ],
  },
  {
    uid: 'postern-imap',
    title: 'Postern: IMAP',
    rows: [
      {
        title: 'Sessions',
        panels: [
          { title: 'Open', queries: [['postern_imap_sessions', 'sessions']] },
          {
            title: 'New',
            unit: 'ops',
            queries: [
              ['sum(rate(postern_imap_sessions_total[$__rate_interval]))', 'sessions'],
              ['sum(rate(postern_imap_starttls_total[$__rate_interval]))', 'with STARTTLS'],
            ],
          },
          {
            title: 'Logins',
            unit: 'ops',
            queries: [rate('postern_imap_logins_total', 'mechanism, outcome')],
          },
        ],
      },
      {
        title: 'Commands',
        panels: [
          { title: 'Commands', unit: 'ops', queries: [rate('postern_imap_commands_total', 'command')] },
          {
            title: 'Not OK',
            unit: 'ops',
            queries: [rate('postern_imap_commands_total', 'command, status', '{status!="OK"}')],
          },
          { title: 'Time', unit: 's', queries: quantiles('postern_imap_command_seconds') },
          { title: 'Slowest 5 %', unit: 's', queries: slowest('postern_imap_command_seconds', 'command') },
        ],
      },
      {
        title: 'Mailboxes',
        panels: [
          {
            title: 'Largest',
            kind: 'table',
            unit: 'bytes',
            queries: [['topk(50, postern_account_mail_bytes)', '{{account}}']],
          },
          {
            title: 'Left Trash and Junk by age',
            queries: [['sum by (mailbox) (increase(postern_housekeeping_expired_total[1d]))', '{{mailbox}}']],
          },
        ],
      },
    ],
  },
  {
    uid: 'postern-spam',
    title: 'Postern: spam',
    rows: [
      {
        title: 'The filter',
        panels: [
          { title: 'Verdicts', unit: 'ops', queries: [rate('postern_judged_total', 'action')] },
          {
            title: 'Part that is unwanted',
            unit: 'percentunit',
            queries: [
              [
                'sum(rate(postern_judged_total{action!="inbox"}[$__rate_interval])) / sum(rate(postern_judged_total[$__rate_interval]))',
                'unwanted',
              ],
            ],
          },
          { title: 'Greylisting', unit: 'ops', queries: [rate('postern_greylist_total', 'outcome')] },
          {
            title: 'Refused at the gate',
            unit: 'ops',
            queries: [rate('postern_gate_refused_total', 'check')],
          },
        ],
      },
      {
        title: 'Whom it asks',
        panels: [
          {
            title: 'DNS lists',
            unit: 'ops',
            queries: [rate('postern_dns_list_answers_total', 'zone, answer')],
          },
          { title: 'Filters beside us', queries: [['postern_filter_partner_up', '{{partner}}']] },
          { title: 'Their time', unit: 's', queries: slowest('postern_filter_partner_seconds', 'partner') },
          {
            title: 'Reports received',
            unit: 'ops',
            queries: [rate('postern_reports_received_total', 'kind, outcome')],
          },
        ],
      },
    ],
  },
  {
    uid: 'postern-security',
    title: 'Postern: security',
    rows: [
      {
        title: 'Logins',
        panels: [
          {
            title: 'Failed',
            unit: 'ops',
            queries: [
              rate('postern_smtp_logins_total', 'protocol, mechanism', `{${loginsFailed}}`),
              rate('postern_imap_logins_total', 'mechanism', `{${loginsFailed}}`),
            ],
          },
          {
            title: 'Good',
            unit: 'ops',
            queries: [
              rate('postern_smtp_logins_total', 'protocol', '{outcome="succeeded"}'),
              rate('postern_imap_logins_total', 'mechanism', '{outcome="succeeded"}'),
            ],
          },
          {
            title: 'By account, within a day',
            kind: 'table',
            width: 12,
            queries: [
              [
                'sum by (account, outcome) (increase(postern_logins_by_account_total[1d]))',
                '{{account}} {{outcome}}',
              ],
            ],
          },
          { title: 'Bans in force', queries: [['postern_bans_active', 'bans']] },
          { title: 'New bans', queries: [['sum by (kind) (increase(postern_bans_total[1h]))', '{{kind}}']] },
          {
            title: 'Accounts held',
            queries: [['increase(postern_events_total{kind="account.held"}[1d])', 'within a day']],
          },
          { title: 'Tarpit', unit: 'ops', queries: [rate('postern_tarpit_total', 'outcome')] },
        ],
      },
      {
        title: 'TLS',
        panels: [
          {
            title: 'Certificates end in',
            unit: 's',
            queries: [['postern_certificate_expiry_seconds', '{{name}}']],
          },
          {
            title: 'ACME',
            queries: [
              ['sum by (outcome) (increase(postern_acme_requests_total[1d]))', '{{outcome}}'],
              ['postern_acme_failing', 'failing'],
            ],
          },
          { title: 'Versions', unit: 'ops', queries: [rate('postern_smtp_starttls_total', 'version')] },
          {
            title: 'Backup',
            unit: 's',
            queries: [
              ['postern_backup_age_seconds', 'last backup'],
              ['postern_restore_drill_age_seconds', 'last restore drill'],
            ],
          },
        ],
      },
    ],
  },
  {
    uid: 'postern-ses',
    title: 'Postern: Amazon SES',
    rows: [
      {
        title: 'Coming in',
        panels: [
          {
            title: 'Objects',
            unit: 'ops',
            queries: [rate('postern_intake_objects_total', 'source, told_by, outcome')],
          },
          { title: 'Lag', unit: 's', queries: quantiles('postern_intake_lag_seconds') },
          { title: 'Waits longest', unit: 's', queries: [['postern_intake_oldest_seconds', 'oldest']] },
          {
            title: 'Faults',
            queries: [
              ['sum by (driver) (increase(postern_intake_driver_failures_total[1h]))', '{{driver}}'],
              ['sum by (source) (increase(postern_intake_problems_total[1h]))', 'not understood, {{source}}'],
              [
                'sum by (source, outcome) (increase(postern_intake_notices_total[1h]))',
                'notices {{source}} {{outcome}}',
              ],
            ],
          },
        ],
      },
      {
        title: 'Going out',
        panels: [
          { title: 'Events', unit: 'ops', queries: [rate('postern_ses_events_total', 'kind, outcome')] },
          {
            title: 'By way',
            unit: 'ops',
            queries: [rate('postern_delivery_transport_recipients_total', 'transport, outcome')],
          },
        ],
      },
    ],
  },
  {
    uid: 'postern-dns',
    title: 'Postern: DNS',
    rows: [
      {
        title: 'What the doctor found (0 ok, 1 unknown, 2 warning, 3 problem)',
        panels: [
          {
            title: 'Checks',
            kind: 'table',
            width: 12,
            queries: [['postern_doctor_state', '{{check}} {{domain}}']],
          },
          { title: 'Worst by domain', queries: [['max by (domain) (postern_doctor_state)', '{{domain}}']] },
          {
            title: 'Looked last',
            unit: 's',
            kind: 'stat',
            queries: [['time() - postern_doctor_last_run_timestamp_seconds', 'ago']],
          },
        ],
      },
      {
        title: 'Records',
        panels: [
          {
            title: 'Server',
            kind: 'table',
            width: 12,
            queries: [
              ['dns_sanity_mailserver_ip', 'IP {{ip}}'],
              ['dns_sanity_server_a_record', 'A {{hostname}}'],
              ['dns_sanity_server_ptr_record', 'PTR {{ip}}'],
            ],
          },
          {
            title: 'Domains',
            kind: 'table',
            width: 12,
            queries: ['mx', 'spf', 'dkim', 'dmarc'].map(
              (record) => [`dns_sanity_domain_${record}_record`, `${record} {{domain}}`] as const,
            ),
          },
          {
            title: 'To publish',
            kind: 'table',
            width: 24,
            queries: [
              ['dns_sanity_example_spf_record', '{{spf}}'],
              ['dns_sanity_example_dkim_record', '{{host}} {{dkim}}'],
              ['dns_sanity_example_dmarc_record', '{{host}} {{dmarc}}'],
            ],
          },
        ],
      },
    ],
  },
];

const HEIGHT = { stat: 4, timeseries: 8, table: 8, bargauge: 8 } as const;
const SOURCE = { type: 'prometheus', uid: '${datasource}' };

function panelsOf({ rows }: Dashboard): object[] {
  const panels: object[] = [];
  let [id, y] = [0, 0];
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: ++id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y++;
    let [x, tallest] = [0, 0];
    for (const panel of inRow) {
      const { kind = 'timeseries', width = 8, unit = 'short' } = panel;
      const h = HEIGHT[kind];
      if (x + width > 24) {
        y += tallest;
        x = 0;
        tallest = 0;
      }
      panels.push({
        id: ++id,
        type: kind,
        title: panel.title,
        datasource: SOURCE,
        gridPos: { x, y, w: width, h },
        fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
        options: kind === 'timeseries' ? { legend: { displayMode: 'list', placement: 'bottom' } } : {},
        targets: panel.queries.map(([expr, legendFormat], index) => ({
          refId: String.fromCharCode(65 + index),
          datasource: SOURCE,
          expr,
          legendFormat,
          ...(kind === 'timeseries'
            ? { range: true }
            : { instant: true, ...(kind === 'table' && { format: 'table' }) }),
        })),
      });
      x += width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

export function grafanaJson(dashboard: Dashboard): string {
  const { uid, title } = dashboard;
  return `${JSON.stringify(
    {
      uid,
      title,
      tags: ['postern'],
      schemaVersion: 39,
      version: 1,
      editable: true,
      refresh: '1m',
      time: { from: 'now-24h', to: 'now' },
      templating: {
        list: [{ name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' }],
      },
      panels: panelsOf(dashboard),
    },
    null,
    2,
  )}\n`;
}

function main(): void {
  const directory = join(dirname(fileURLToPath(import.meta.url)), '../deploy/monitoring/grafana');
  const check = process.argv.includes('--check');
  mkdirSync(directory, { recursive: true });
  for (const dashboard of dashboards) {
    const file = join(directory, `${dashboard.uid}.json`);
    const text = grafanaJson(dashboard);
    if (!check) {
      writeFileSync(file, text);
      continue;
    }
    let before = '';
    try {
      before = readFileSync(file, 'utf8');
    } catch {
      // Then it is stale too.
    }
    if (before === text) continue;
    console.error(`${file} is not what the script says: run "node scripts/dashboards.ts"`);
    process.exitCode = 1;
  }
}

if (import.meta.main) main();
