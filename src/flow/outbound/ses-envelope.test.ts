import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSesHeader, type SesChange, sesContent } from './ses-envelope.ts';
import type { MessageContent } from './transport.ts';

/** In pieces of every size, as a store may give it. */
function content(text: string, step = 7): MessageContent {
  const octets = Buffer.from(text, 'latin1');
  return {
    size: octets.length,
    async *open() {
      for (let at = 0; at < octets.length; at += step) yield octets.subarray(at, at + step);
    },
  };
}

async function made(text: string, change: SesChange = {}, step = 7): Promise<string> {
  const given = content(text, step);
  const result = sesContent(given, await readSesHeader(given), change);
  const parts: Buffer[] = [];
  for await (const piece of result.open()) parts.push(piece);
  const octets = Buffer.concat(parts);
  assert.equal(result.size, octets.length);
  return octets.toString('latin1');
}

const lines = (...each: string[]): string => each.map((line) => `${line}\r\n`).join('');

describe('a message on its way to SES', () => {
  it('stays as it is when nothing has to change', async () => {
    const text = lines(
      'DKIM-Signature: v=1; d=example.org; h=from; b=xx',
      'From: a@example.org',
      '',
      'Hello',
    );
    assert.equal(await made(text), text);
    const given = content(text);
    assert.equal(sesContent(given, await readSesHeader(given), {}), given);
  });

  it('carries no field that would command SES, and tells nobody who was copied blindly', async () => {
    const text = lines(
      'Return-Path: <x@else.test>',
      'X-SES-CONFIGURATION-SET: theirs',
      'x-ses-message-tags : a=b,',
      '\tc=d',
      'X-Ses-Source-Arn: arn:aws:ses:eu-west-1:1:identity/x',
      'X-SES-FROM-ARN: x',
      'X-SES-RETURN-PATH-ARN: x',
      'From: a@example.org',
      'Bcc: secret@example.org,',
      ' other@example.org',
      'X-SES-Spam-Verdict: PASS',
      'Subject: hi',
      '',
      'Bcc: this is text',
    );
    for (const step of [1, 7, 10_000]) {
      assert.equal(
        await made(text, {}, step),
        lines('From: a@example.org', 'X-SES-Spam-Verdict: PASS', 'Subject: hi', '', 'Bcc: this is text'),
      );
    }
  });

  it('gets our own fields in front', async () => {
    const text = lines('X-SES-CONFIGURATION-SET: theirs', 'From: a@example.org', '', 'x');
    const out = await made(text, { add: ['X-SES-CONFIGURATION-SET: ours\r\n'] });
    assert.equal(out, lines('X-SES-CONFIGURATION-SET: ours', 'From: a@example.org', '', 'x'));
  });

  it('shows another From where the author is no identity, and answers still go to the author', async () => {
    const text = lines(
      'DKIM-Signature: v=1; a=rsa-sha256; d=Example.org; h=from:to; b=xx',
      'DKIM-Signature: v=1; d=shop.test; h=from; b=yy',
      'Sender: list@shop.test',
      'From: =?utf-8?q?J=C3=B6rg?= <joerg@shop.test>',
      'To: us@example.org',
      '',
      'Body',
    );
    const out = await made(text, {
      from: 'postmaster@example.org',
      ours: (domain) => domain === 'example.org',
    });
    assert.equal(
      out,
      lines(
        'From: =?utf-8?q?J=C3=B6rg_via_example=2Eorg?= <postmaster@example.org>',
        'Reply-To: =?utf-8?b?SsO2cmc=?= <joerg@shop.test>',
        'X-Original-From: =?utf-8?b?SsO2cmc=?= <joerg@shop.test>',
        'DKIM-Signature: v=1; d=shop.test; h=from; b=yy',
        'To: us@example.org',
        '',
        'Body',
      ),
    );
  });

  it('keeps a Reply-To that is there', async () => {
    const text = lines('From: joe@shop.test', 'Reply-To: help@shop.test', '', 'x');
    const out = await made(text, { from: 'postmaster@example.org' });
    assert.match(
      out,
      /^From: "joe via example\.org" <postmaster@example\.org>\r\nX-Original-From: joe@shop\.test\r\nReply-To: help@shop\.test\r\n\r\nx/,
    );
  });

  it('finds the end of odd headers', async () => {
    assert.equal(await made('From: a@b.c\nBcc: x\n\nbody\n'), 'From: a@b.c\n\nbody\n');
    assert.equal(await made('\r\nBcc: no header at all\r\n'), '\r\nBcc: no header at all\r\n');
    assert.equal(await made('Bcc: x\r\n'), '');
    const long = lines(
      ...Array.from({ length: 3000 }, (_, i) => `X-${i}: ${'y'.repeat(50)}`),
      'Bcc: x',
      '',
      'b',
    );
    assert.doesNotMatch(await made(long, {}, 5000), /Bcc/);
  });
});
