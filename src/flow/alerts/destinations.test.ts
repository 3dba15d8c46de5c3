import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openOutbound } from '../../../test/support/outbound.ts';
import { startSmtpPeer } from '../../../test/support/smtp-peer.ts';

it('mail to a domain that does not arrive is counted by what became of it, with the words of its host', async () => {
  const peer = await startSmtpPeer();
  const out = await openOutbound({ port: peer.port });
  try {
    const look = (since: number) => out.flow.store.read.run('alerts.destinations', { since });
    const start = out.flow.clock.now() - 1;
    await out.send(['good@far.test']);
    await out.idle();
    assert.deepEqual(await look(start), [], 'what arrives is no trouble');
    peer.options.script = { RCPT: ['451 4.7.1 not now', '550 5.7.1 never'] };
    await out.send(['late@far.test', 'never@far.test']);
    await out.idle();
    const [trouble] = await look(start);
    assert.equal(trouble?.destination, 'far.test');
    assert.deepEqual([trouble?.waiting, trouble?.failed, trouble?.delivered], [1, 1, 1]);
    assert.match(trouble?.reply ?? '', /^(?:451 4\.7\.1 not now|550 5\.7\.1 never)/);
    const text = await out.flow.metrics.text();
    // The other is the notification of the failure, to a mailbox here.
    assert.match(text, /^postern_delivery_delay_seconds_count 2$/m);
    assert.match(text, /^postern_delivery_tls_total\{tls="plain"\} 1$/m);
  } finally {
    await out.close();
    await peer.close();
  }
});
