import type { Metrics } from '../../base/metrics.ts';
import { domainRecords, zoneLine } from '../../mail/dns-records.ts';
import type { DoctorReport } from './doctor.ts';
import { worst } from './lines.ts';
import type { CheckName, DoctorFacts, DoctorLine, DoctorState } from './types.ts';

/** What the last look found, as gauges: ours for every check, and the names of dns_sanity for dashboards that know those. */

const VALUES: Readonly<Record<DoctorState, number>> = { ok: 0, unknown: 1, warning: 2, problem: 3 };

export interface DoctorGauges {
  set(report: DoctorReport, facts: DoctorFacts): void;
}

export function doctorGauges(metrics: Metrics): DoctorGauges {
  const state = metrics.gauge(
    'postern_doctor_state',
    'What the doctor found: 0 ok, 1 unknown, 2 warning, 3 problem',
    ['check', 'domain'],
  );
  const at = metrics.gauge('postern_doctor_last_run_timestamp_seconds', 'When the doctor looked last');
  const one = <L extends string>(name: string, help: string, labels: readonly L[]) =>
    metrics.gauge(`dns_sanity_${name}`, `${help} (1: as it should be)`, labels);
  const server = {
    ip: one('mailserver_ip', 'Public address of the server', ['ip']),
    a: one('server_a_record', 'The host name leads to the public address', ['hostname']),
    ptr: one('server_ptr_record', 'The public address has the host name', ['ip']),
  };
  const domain: readonly (readonly [CheckName, ReturnType<typeof one<'domain'>>])[] = [
    ['mx', one('domain_mx_record', 'MX leads here', ['domain'])],
    ['spf', one('domain_spf_record', 'SPF passes for the public addresses', ['domain'])],
    ['dkim', one('domain_dkim_record', 'The DKIM keys are published', ['domain'])],
    ['dmarc', one('domain_dmarc_record', 'DMARC is published', ['domain'])],
  ];
  const examples = {
    spf: one('example_spf_record', 'The SPF record to publish', ['spf']),
    dkim: one('example_dkim_record', 'The DKIM record to publish', ['domain', 'host', 'dkim']),
    dmarc: one('example_dmarc_record', 'The DMARC record to publish', ['domain', 'host', 'dmarc']),
  };
  return {
    set({ at: ms, lines }, facts) {
      at.set(ms / 1000);
      state.reset();
      for (const [key, found] of Map.groupBy(lines, ({ check, domain: name = '' }) => `${check} ${name}`)) {
        const [check = '', name = ''] = key.split(' ');
        state.set({ check, domain: name }, VALUES[worst(found.map((line) => line.state))]);
      }
      for (const gauge of [server.ip, server.a, server.ptr, ...domain.map(([, each]) => each)]) gauge.reset();
      for (const gauge of Object.values(examples)) gauge.reset();
      for (const ip of facts.addresses) {
        server.ip.set({ ip }, 1);
        server.ptr.set(
          { ip },
          good(lines.filter(({ check, subject }) => check === 'reverse' && subject === ip)),
        );
      }
      server.a.set({ hostname: facts.hostname }, good(lines.filter(({ check }) => check === 'address')));
      for (const { name, records } of facts.domains) {
        for (const [check, gauge] of domain)
          gauge.set(
            { domain: name },
            good(lines.filter((line) => line.check === check && line.domain === name)),
          );
        for (const record of domainRecords(records)) {
          const text = record.type === 'TXT' ? record.value : '';
          const host = record.name;
          if (text.startsWith('v=spf1') && host === name) examples.spf.set({ spf: zoneLine(record) }, 1);
          if (text.startsWith('v=DKIM1')) examples.dkim.set({ domain: name, host, dkim: text }, 1);
          if (host === `_dmarc.${name}`) examples.dmarc.set({ domain: name, host, dmarc: text }, 1);
        }
      }
    },
  };
}

/** Warnings are no faults of a record that is there. */
function good(lines: readonly DoctorLine[]): 0 | 1 {
  return lines.length > 0 && lines.every(({ state }) => state === 'ok' || state === 'warning') ? 1 : 0;
}
