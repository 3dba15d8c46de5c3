import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeTextBody } from '../../mail/message/decode.ts';
import { htmlLines } from '../../mail/sieve/html-text.ts';
import { compile, SIEVE_LIMITS } from '../../mail/sieve/index.ts';
import { generate } from './generate.ts';
import { sieveSettingsSchema, type VacationSettings } from './settings.ts';
import { vacationEntity, vacationText } from './vacation.ts';

function scriptOf(vacation: object): string {
  const script = generate(sieveSettingsSchema.parse({ vacation })) ?? '';
  const compiled = compile(script, { limits: SIEVE_LIMITS });
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return script;
}

describe('the answer of somebody who is away', () => {
  it('is text as it stands, and a MIME entity where there is HTML', () => {
    assert.match(scriptOf({ text: 'Away.' }), /^vacation :days 7 "Away\.";\r$/m);
    const script = scriptOf({ text: 'Grüße', html: '<p>Grüße</p>\n.\n"quoted" \\' });
    assert.match(script, /^vacation :days 7 :mime text:\r\nContent-Type: multipart\/alternative;/m);
    assert.match(script, /\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n--=_/);
    assert.match(script, /Content-Type: text\/html[^]*<p>Grüße<\/p>\r\n\.\.\r\n"quoted" \\\r\n--=_/);
    assert.equal(script, scriptOf({ text: 'Grüße', html: '<p>Grüße</p>\n.\n"quoted" \\' }));
  });

  it('is sent from one second on and before another, in UTC; days are those of the server', () => {
    const script = scriptOf({ text: 'x', from: '2026-12-24T08:30:01Z', until: '2027-01-06' });
    assert.match(script, /currentdate :zone "\+0000" :value "ge" "iso8601" "2026-12-24T08:30:01",\r/);
    assert.match(script, /currentdate :value "le" "date" "2027-01-06"\)/);
    assert.match(scriptOf({ until: '2027-01-06T00:00:00Z' }), /"lt" "iso8601" "2027-01-06T00:00:00"\r/);
    for (const from of ['2026-12-24T08:30:01', '2026-12-24T08:30:01+01:00', '2026-12-24T08:30:01.5Z', 'x'])
      assert.ok(!sieveSettingsSchema.safeParse({ vacation: { text: 'x', from } }).success, from);
  });

  it('says something whatever is missing', () => {
    assert.equal(vacationText({ html: '<p>Away</p><p>Bye<br>Bob</p>' }), 'Away\n\nBye\nBob');
    assert.match(vacationText({}), /^I am away/);
    assert.match(vacationText({ html: '<img src="x">' }), /^I am away/);
    assert.equal(vacationText({ text: 'a', html: '<p>b</p>' }), 'a');
  });

  it('has no line longer than mail may have, and loses nothing by it', () => {
    const said: Pick<VacationSettings, 'text' | 'html'>[] = [
      { text: `${'long '.repeat(400)}.` },
      { text: '出'.repeat(2000) },
      { text: 'short', html: `<p>${'ü'.repeat(15_000)}</p>` },
      { text: '😀'.repeat(5000), html: '出'.repeat(20_000) },
    ];
    for (const each of said) {
      const entity = vacationEntity(each) ?? '';
      assert.ok(entity.split('\r\n').every((line) => Buffer.byteLength(line) <= 998));
      scriptOf(each);
      const boundary = /boundary="(.*)"/.exec(entity)?.[1];
      const parts = boundary === undefined ? [entity] : entity.split(`\r\n--${boundary}`).slice(1, -1);
      const bodies = parts.map((one) => {
        const [head = '', ...body] = one.split('\r\n\r\n');
        const encoding = /Encoding: (\S+)/.exec(head)?.[1] ?? '';
        return decodeTextBody(Buffer.from(body.join('\r\n\r\n')), encoding, 'utf-8').trimEnd();
      });
      assert.deepEqual(
        bodies,
        [each.text, each.html].filter((one) => one !== undefined),
      );
    }
    assert.equal(vacationEntity({ text: 'short' }), undefined);
  });

  it('nothing in it is a field or a part', () => {
    const entity = vacationEntity({ text: 'a', html: 'Bcc: x@else.test\n\n--=_\n\nb\0' }) ?? '';
    const [head = ''] = entity.split('\r\n\r\n');
    assert.match(head, /^Content-Type: multipart\/alternative;\s+boundary="=_[0-9a-f]{40}"$/);
    const boundary = /"(.*)"/.exec(head)?.[1] ?? '?';
    assert.equal(entity.split(boundary).length, 5, 'where it is told, and around two parts');
    assert.ok(!entity.includes('\0'));
    const script = scriptOf({ text: 'x', subject: 'a\r\nBcc: x@else.test', html: 'a\r\n.\r\n;\r\ndiscard;' });
    assert.match(script, /a\r\n\.\.\r\n;\r\ndiscard;\r\n--=_/, 'a dot does not end the text of the script');
  });
});

describe('HTML as lines of text', () => {
  it('has lines where a page has them', () => {
    const cases: [string, string][] = [
      ['<div>a</div><div>b<br></div><div><br></div><div>c</div>', 'a\nb\n\nc'],
      [
        '<h1>T</h1>\n<p>one\n two <b>three</b></p>\n<ul><li>x</li>\n<li>y</li></ul>end',
        'T\n\none two three\n\nx\ny\n\nend',
      ],
      ['<style>p{}</style><!-- <p>no</p> -->1 &lt; 2<script>x()</script>', '1 < 2'],
      ['<br><br>', ''],
    ];
    for (const [html, text] of cases) assert.equal(htmlLines(html), text);
  });
});
