import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeRefusal, outcomeOf, type RefusalContext, type SesRefusal } from './ses-refusals.ts';
import { withAdvice } from './transport.ts';
import type { Cause } from './transport.ts';

const CONTEXT: RefusalContext = {
  region: 'eu-west-1',
  sandbox: false,
  senders: ['news@example.org', 'srs0=x@example.org'],
  recipients: ['Ann@far.test', 'bob@far.test'],
  configurationSet: 'main',
};

const VERIFIED =
  'Email address is not verified. The following identities failed the check in region EU-WEST-1: ';

/** What SES says by its API (with its name for it) or by SMTP, and what follows. */
const CASES: readonly {
  readonly said: string;
  readonly code?: string;
  readonly kind?: SesRefusal['kind'];
  readonly cause: Cause;
  /** Undefined: temporary. */
  readonly status?: string;
  readonly advice: RegExp;
}[] = [
  {
    code: 'MessageRejected',
    said: `${VERIFIED}news@example.org`,
    cause: 'sender',
    status: '5.7.1',
    advice: /verify the domain example\.org.*"postern route"/,
  },
  {
    said: `Message rejected: ${VERIFIED}Example <news@example.org>, x@y.test...`,
    cause: 'sender',
    status: '5.7.1',
    advice: /news@example\.org/,
  },
  {
    code: 'MessageRejected',
    said: `${VERIFIED}ann@far.test`,
    cause: 'sender',
    status: '5.7.1',
    advice: /still in the sandbox.*production access/,
  },
  { code: 'MailFromDomainNotVerifiedException', said: 'no', cause: 'sender', advice: /MX record/ },
  {
    code: 'ConfigurationSetDoesNotExist',
    said: 'Configuration set <main> does not exist.',
    kind: 'missing',
    cause: 'ours',
    advice: /"main"; create it/,
  },
  { said: 'Configuration Set main does not exist', cause: 'ours', advice: /create it/ },
  {
    code: 'NotFoundException',
    said: 'Configuration set <main> does not exist.',
    kind: 'missing',
    cause: 'ours',
    advice: /create it/,
  },
  { code: 'ConfigurationSetSendingPausedException', said: 'paused', cause: 'ours', advice: /enable it/ },
  { code: 'AccountSendingPausedException', said: 'x', cause: 'auth', advice: /Account dashboard/ },
  { code: 'SendingPausedException', said: 'x', cause: 'auth', advice: /Account dashboard/ },
  { code: 'AccountSuspendedException', said: 'x', cause: 'auth', advice: /Account dashboard/ },
  {
    code: 'MessageRejected',
    said: 'Sending paused for this account.',
    cause: 'auth',
    advice: /Account dashboard/,
  },
  {
    code: 'Throttling',
    kind: 'throttled',
    said: 'Maximum sending rate exceeded.',
    cause: 'rate',
    advice: /more slowly/,
  },
  {
    code: 'Throttling',
    kind: 'quota',
    said: 'Daily message quota exceeded.',
    cause: 'quota',
    advice: /higher sending quota/,
  },
  { code: 'TooManyRequestsException', kind: 'throttled', said: 'x', cause: 'rate', advice: /more slowly/ },
  { code: 'LimitExceededException', said: 'x', cause: 'quota', advice: /limit of the account/ },
  {
    code: 'AccessDeniedException',
    kind: 'auth',
    said: 'User: arn:aws:iam::1:user/x is not authorized to perform: ses:SendEmail on resource identity',
    cause: 'auth',
    advice: /IAM policy/,
  },
  { kind: 'auth', said: 'Authentication Credentials Invalid', cause: 'auth', advice: /smtp-credentials/ },
  {
    code: 'MessageRejected',
    said: 'Address blacklisted.',
    cause: 'recipient',
    status: '5.1.1',
    advice: /earlier bounces/,
  },
  {
    code: 'InvalidParameterValue',
    said: 'Local address contains control or whitespace',
    cause: 'recipient',
    status: '5.1.3',
    advice: /does not take the address/,
  },
  {
    code: 'BadRequestException',
    said: "Missing final '@domain'",
    cause: 'recipient',
    status: '5.1.3',
    advice: /./,
  },
  {
    code: 'InvalidParameterValue',
    said: "Duplicate header 'Date'.",
    cause: 'message',
    status: '5.6.0',
    advice: /Duplicate header/,
  },
  {
    code: 'InvalidParameterValue',
    said: 'Message length is more than 10485760 bytes long: 12000000.',
    cause: 'size',
    status: '5.3.4',
    advice: /too large/,
  },
  {
    code: 'MessageRejected',
    said: 'Something new',
    cause: 'policy',
    status: '5.7.1',
    advice: /Something new/,
  },
  { code: 'InternalFailure', kind: 'server', said: 'oops', cause: 'network', advice: /trouble of its own/ },
  { kind: 'server', said: 'Temporary service failure', cause: 'network', advice: /trouble of its own/ },
];

describe('what SES means when it refuses', () => {
  for (const { said, code, kind = 'rejected', cause, status, advice } of CASES) {
    it(`${code ?? 'SMTP'}: ${said.slice(0, 90)}`, () => {
      const judgement = judgeRefusal({ code, text: said, kind }, CONTEXT);
      assert.equal(judgement.cause, cause);
      assert.equal(judgement.status, status);
      const outcome = outcomeOf(judgement, 'SES eu-west-1');
      assert.equal(outcome.outcome, status === undefined ? 'deferred' : 'failed');
      assert.match(outcome.reply, status === undefined ? /^451 4\./ : /^550 5\./);
      assert.match(withAdvice(outcome.reply, outcome.advice), advice);
      assert.doesNotMatch(outcome.reply, /another way|postern (?:route|transport)/, 'a relay has none');
    });
  }

  it('names in the sandbox those it speaks of, so that verified recipients still get their mail', () => {
    const refusal = { code: 'MessageRejected', text: `${VERIFIED}ann@far.test`, kind: 'rejected' } as const;
    assert.deepEqual(judgeRefusal(refusal, { ...CONTEXT, sandbox: true }).only, ['ann@far.test']);
    for (const end of ['...', '... (MessageRejected)']) {
      const cut = { ...refusal, text: `${refusal.text}${end}` };
      const judgement = judgeRefusal(cut, { ...CONTEXT, sandbox: true });
      assert.equal(judgement.only, undefined);
      assert.match(judgement.reason, /sandbox/);
    }
    const long = { ...refusal, text: `${VERIFIED}${'other@y.test, '.repeat(40)}news@example.org` };
    assert.match(judgeRefusal(long, CONTEXT).reason, /does not send for news@example\.org/);
  });

  it('takes the list for senders where it names both', () => {
    const text = `${VERIFIED}ann@far.test, news@example.org`;
    const judgement = judgeRefusal({ code: 'MessageRejected', text, kind: 'rejected' }, CONTEXT);
    assert.match(judgement.reason, /does not send for news@example\.org/);
  });

  it('answers a long hostile text in no time', () => {
    const text = `${'a.'.repeat(50_000)}<${' '.repeat(50_000)}`;
    judgeRefusal({ code: 'MessageRejected', text, kind: 'rejected' }, CONTEXT);
  });
});
