import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authentication } from './authentication.ts';

const judge = (field: string | undefined, from = 'ann@bank.test') =>
  authentication({
    from: [{ name: null, email: from }],
    'header:Authentication-Results:asText:all': field === undefined ? [] : [field, 'forged; dmarc=pass'],
  }).state;

describe('senders', () => {
  it('are confirmed by DMARC or by their own signature', () => {
    assert.equal(judge('mx.test; dmarc=pass (p=reject) header.from=bank.test'), 'pass');
    assert.equal(judge('mx.test; dkim=pass header.d=bank.test header.s=x'), 'pass');
    assert.equal(judge('mx.test; dkim=pass header.d=mail.bank.test'), 'pass');
  });

  it('are not confirmed by others, nor by fields below ours', () => {
    assert.equal(judge('mx.test; dkim=pass header.d=list.test'), 'other');
    assert.equal(judge('mx.test; dkim=pass header.d=evilbank.test'), 'other');
    assert.equal(judge('mx.test; dmarc=fail; dkim=none (dmarc=pass; dkim=pass)'), 'fail');
    assert.equal(judge('mx.test; none'), 'none');
    assert.equal(judge(undefined), 'none');
  });
});
