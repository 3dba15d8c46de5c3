import type { AccountFacts } from '../../net/aws/inspect.ts';
import { attempt, ok, problem } from './lines.ts';
import type { StatusLine, StatusParts } from './types.ts';

/** Part of the day's allowance from which it is worth a warning. */
const QUOTA_WARNING = 0.9;

/** Whether the account may send, to whom, and how much. */
export async function accountLines({ reader, request }: StatusParts): Promise<readonly StatusLine[]> {
  const why = 'Amazon decides by it whether your mail leaves at all.';
  return attempt({ area: 'account', subject: 'account', why }, 'ses:GetAccount', async () => {
    const account = await reader.account();
    return [sandbox(account, request.region), standing(account), quota(account, request.region)];
  });
}

function sandbox({ production, review }: AccountFacts, region: string): StatusLine {
  const topic = {
    area: 'account',
    subject: 'sandbox',
    why: 'A new account may send only to addresses that it has verified, 200 a day. Receiving is not touched by it.',
  } as const;
  if (production) return ok(topic, `The account is out of the sandbox in ${region}.`);
  if (review === 'PENDING')
    return problem(
      topic,
      'The account is in the sandbox; Amazon is looking at the request to leave it.',
      'Wait for their mail, usually within a day, and answer their questions.',
    );
  const denied = review === 'DENIED' ? ' The last request was denied.' : '';
  return problem(
    topic,
    `The account is in the sandbox.${denied}`,
    `aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url https://YOUR-SITE --use-case-description "Personal mail of our domains, sent by hand to people we know; bounces and complaints are handled automatically" --region ${region}`,
  );
}

function standing({ sendingEnabled, enforcement }: AccountFacts): StatusLine {
  const topic = {
    area: 'account',
    subject: 'sending',
    why: 'Amazon stops accounts with many bounces or complaints.',
  } as const;
  if (!sendingEnabled || enforcement === 'SHUTDOWN')
    return problem(
      topic,
      `Sending is switched off (${enforcement}).`,
      "Look into the mail of the account's owner, and open a case in the support center; meanwhile send another way: postern route list",
    );
  if (enforcement !== 'HEALTHY')
    return problem(
      topic,
      `The account is under review (${enforcement}); mail is still sent.`,
      'See what bounced and who complained: postern suppression list',
    );
  return ok(topic, 'Sending is enabled, and Amazon has no objections.');
}

function quota({ max24HourSend, sentLast24Hours, maxSendRate }: AccountFacts, region: string): StatusLine {
  const topic = {
    area: 'account',
    subject: 'quota',
    why: 'Mail beyond it waits in our queue, or takes the next way of its route.',
  } as const;
  if (max24HourSend < 0) return ok(topic, `No limit a day, ${maxSendRate} a second.`);
  const found = `${Math.round(sentLast24Hours)} of ${max24HourSend} recipients in 24 hours are used; ${maxSendRate} a second.`;
  if (sentLast24Hours < max24HourSend * QUOTA_WARNING) return ok(topic, found);
  return problem(
    topic,
    found,
    `aws service-quotas request-service-quota-increase --service-code ses --quota-code L-804C8AE8 --desired-value ${max24HourSend * 10} --region ${region}`,
  );
}
