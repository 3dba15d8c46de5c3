import type { DmarcRecord, DmarcReportHead } from './dmarc-types.ts';

/** Records in one piece of text. */
const BATCH = 100;
/** Characters of text that came from elsewhere. */
const TEXT_CHARS = 255;

/**
 * The XML of an aggregate report (RFC 9990 section 3.1), in pieces. The order of elements is that of its tables.
 * Whatever the texts are, the outcome is well-formed.
 */
export function* dmarcXml(head: DmarcReportHead, records: Iterable<DmarcRecord>): Generator<string> {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">\n' +
    element('version', '1.0', 1) +
    metadata(head) +
    policy(head);
  let batch = '';
  let waiting = 0;
  for (const one of records) {
    batch += record(one);
    if (++waiting < BATCH) continue;
    yield batch;
    batch = '';
    waiting = 0;
  }
  yield `${batch}</feedback>\n`;
}

function metadata(head: DmarcReportHead): string {
  const { organisation, email, contact, reportId, beginMs, endMs, errors, generator } = head;
  return group('report_metadata', 1, [
    element('org_name', organisation, 2),
    element('email', email, 2),
    element('extra_contact_info', contact, 2),
    element('report_id', reportId, 2),
    group('date_range', 2, [
      element('begin', String(Math.floor(beginMs / 1000)), 3),
      element('end', String(Math.floor(endMs / 1000)), 3),
    ]),
    element('error', errors.length === 0 ? undefined : errors.join('; '), 2),
    element('generator', generator, 2),
  ]);
}

function policy({ policy: published }: DmarcReportHead): string {
  const { domain, discovery, p, sp, np, fo, adkim, aspf, testing } = published;
  return group('policy_published', 1, [
    element('domain', domain, 2),
    element('discovery_method', discovery, 2),
    element('p', p, 2),
    element('sp', sp, 2),
    element('np', np, 2),
    element('fo', fo, 2),
    element('adkim', adkim, 2),
    element('aspf', aspf, 2),
    element('testing', testing, 2),
  ]);
}

function record(one: DmarcRecord): string {
  return group('record', 1, [
    group('row', 2, [
      element('source_ip', one.sourceIp, 3),
      element('count', String(one.count), 3),
      group('policy_evaluated', 3, [
        element('disposition', one.disposition, 4),
        element('dkim', one.dkim, 4),
        element('spf', one.spf, 4),
        ...one.reasons.map(({ type, comment }) =>
          group('reason', 4, [element('type', type, 5), element('comment', comment, 5)]),
        ),
      ]),
    ]),
    group('identifiers', 2, [
      element('header_from', one.headerFrom, 3),
      element('envelope_from', one.envelopeFrom, 3),
      element('envelope_to', one.envelopeTo, 3),
    ]),
    group('auth_results', 2, [
      ...one.dkimResults.map(({ domain, selector, result, human }) =>
        group('dkim', 3, [
          element('domain', domain, 4),
          element('selector', selector, 4),
          element('result', result, 4),
          element('human_result', human, 4),
        ]),
      ),
      // RFC 9990 3.1.1.12: at most one.
      ...one.spfResults
        .slice(0, 1)
        .map(({ domain, scope, result, human }) =>
          group('spf', 3, [
            element('domain', domain, 4),
            element('scope', scope, 4),
            element('result', result, 4),
            element('human_result', human, 4),
          ]),
        ),
    ]),
  ]);
}

function group(name: string, depth: number, children: readonly string[]): string {
  const indent = '  '.repeat(depth);
  return `${indent}<${name}>\n${children.join('')}${indent}</${name}>\n`;
}

function element(name: string, text: string | undefined, depth: number): string {
  if (text === undefined) return '';
  return `${'  '.repeat(depth)}<${name}>${escapeXml(text.slice(0, TEXT_CHARS))}</${name}>\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text that XML 1.0 (section 2.2) can hold: characters it cannot are replaced, what means something is escaped. */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- controls are what it looks for
      .replace(/[\x00-\x1f\x7f-\x9f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '')
  );
}
