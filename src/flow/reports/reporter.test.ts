import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lines } from '../../../test/support/flow.ts';
import { createAuthentication, evidenceField } from '../inbound/authenticate.ts';
import { manualClock } from '../../../test/support/manual-clock.ts';
import type { ReportEvidence } from '../report-hooks.ts';
import { reporterName, reporterOf, reporterOfPrefix } from './reporter.ts';

const HOST = 'mx.example.test';

/** Nothing is known of a message from reporter.test, but what is said here. */
async function evidence(dmarc: 'pass' | 'fail', signer?: string): Promise<ReportEvidence> {
  const header = Buffer.from('From: d@reporter.test\r\n\r\n');
  const input = {
    dns: undefined,
    clock: manualClock(),
    receiver: HOST,
    ip: '192.0.2.1',
    helo: '',
    reversePath: '',
  };
  const none = await createAuthentication(input).finish(header);
  const dkim = signer === undefined ? none.dkim : [{ status: 'pass', reason: '', domain: signer } as const];
  return {
    ...none,
    state: 'checked',
    dkim,
    dmarc: { ...none.dmarc, result: dmarc, domain: 'reporter.test' },
  };
}

const prefix = (...more: string[]): Buffer =>
  Buffer.from(lines('Return-Path: <d@reporter.test>', 'Delivered-To: a@example.test', ...more));

describe('who sent a report', () => {
  it('is proven by DMARC or by a signature of the domain or one above it', async () => {
    const genuine = async (...args: Parameters<typeof evidence>) =>
      reporterOf(await evidence(...args)).genuine;
    assert.equal(await genuine('pass'), true);
    assert.equal(await genuine('fail'), false);
    assert.equal(await genuine('fail', 'reporter.test'), true);
    assert.equal(await genuine('fail', 'mail.reporter.test'), false);
    assert.equal(await genuine('fail', 'test'), false);
    assert.equal(await genuine('fail', 'evil.test'), false);
    assert.equal(reporterOf(undefined).genuine, false);
    assert.equal(reporterOf({ ...(await evidence('pass')), state: 'unchecked' }).genuine, false);
  });

  it('is read again from our own field before the stored message, from nobody else’s', async () => {
    const received = 'Received: from x ([192.0.2.1]) by mx.example.test; Mon, 1 Jan 2030 00:00:00 +0000';
    const field = (id: string, rest: string): string => `Authentication-Results: ${id}; ${rest}`;
    const read = (...more: string[]) => reporterOfPrefix(prefix(received, ...more), HOST);
    assert.deepEqual(read(field(HOST, 'dmarc=pass header.from=Reporter.test')), {
      domain: 'reporter.test',
      genuine: true,
    });
    assert.deepEqual(read(field(HOST, 'dmarc=fail header.from=reporter.test')), {
      domain: 'reporter.test',
      genuine: false,
    });
    assert.equal(
      read(field(HOST, 'dmarc=none header.from=reporter.test; dkim=pass header.d=reporter.test')).genuine,
      true,
    );
    assert.equal(
      read(field(HOST, 'dmarc=none header.from=reporter.test; dkim=pass header.d=evil.test')).genuine,
      false,
    );
    assert.equal(read(field('evil.test', 'dmarc=pass header.from=reporter.test')).genuine, false);
    assert.equal(read().genuine, false);
    // What the authentication really writes is understood.
    const written = evidenceField((await evidence('pass')) as never, HOST).toString();
    assert.deepEqual(reporterOfPrefix(Buffer.concat([prefix(received), Buffer.from(written)]), HOST), {
      domain: 'reporter.test',
      genuine: true,
    });
  });

  it('was ourselves where nothing was received; an appended message proves nothing', () => {
    assert.deepEqual(reporterOfPrefix(prefix(), HOST), { domain: 'reporter.test', genuine: true });
    assert.equal(reporterOfPrefix(Buffer.alloc(0), HOST).genuine, false);
  });

  it('stands behind the name it gives itself, so that nobody takes the place of another', () => {
    assert.equal(reporterName('google.com', { domain: 'google.com', genuine: true }), 'google.com');
    assert.equal(reporterName('Google.com', { domain: 'mail.google.com', genuine: true }), 'Google.com');
    assert.equal(
      reporterName('google.com', { domain: 'evil.test', genuine: true }),
      'google.com (by evil.test)',
    );
    assert.equal(reporterName('com', { domain: 'evil.com', genuine: true }), 'com (by evil.com)');
  });
});
