/** How it came: the client, its name, and what SPF, DKIM, DMARC and lists say about it. */
import type { MessageFacts } from '../facts/types.ts';
import { fromOf, isProven, wasChecked } from './common.ts';
import type { Rule, RuleEvidence } from './types.ts';

const isStranger = (evidence: RuleEvidence): boolean => evidence.authenticated !== true;

export const transportRules: readonly Rule[] = [
  {
    name: 'SPF_PASS',
    score: -0.2,
    explain: 'The sender’s domain allows this server to send for it',
    test: (_facts, { spf }) => spf?.result === 'pass' && spf.domain,
  },
  {
    name: 'SPF_FAIL',
    score: 1.6,
    explain: 'The sender’s domain says that this server may not send for it',
    lever: 'The domain must name this server in its SPF record',
    test: (facts, evidence) =>
      evidence.spf?.result === 'fail' && !isProven(facts, evidence) && evidence.spf.domain,
  },
  {
    name: 'SPF_SOFTFAIL',
    score: 0.8,
    explain: 'The sender’s domain says that this server probably may not send for it',
    lever: 'The domain must name this server in its SPF record',
    test: (facts, evidence) =>
      evidence.spf?.result === 'softfail' && !isProven(facts, evidence) && evidence.spf.domain,
  },
  {
    name: 'SPF_BROKEN',
    score: 0.4,
    explain: 'What the sender’s domain says about its servers cannot be understood',
    lever: 'The domain must correct its SPF record',
    test: (_facts, { spf }) => spf?.result === 'permerror' && spf.domain,
  },
  {
    name: 'DKIM_VALID',
    score: -0.2,
    explain: 'A domain has signed the message, and nothing was changed',
    test: (_facts, { dkim }) =>
      dkim?.find(({ result, testing }) => result === 'pass' && testing !== true)?.domain ?? false,
  },
  {
    name: 'DKIM_INVALID',
    score: 0.4,
    explain: 'The message bears a signature that is not right',
    lever: 'It must reach us as it was signed; forwarders and lists often change it',
    test: (facts, { dkim, arc }) => {
      if (dkim === undefined || arc?.trusted === true || facts.isBulk) return false;
      return (
        !dkim.some(({ result }) => result === 'pass') &&
        (dkim.find(({ result }) => result === 'fail')?.domain ?? false)
      );
    },
  },
  {
    name: 'DMARC_PASS',
    score: -0.6,
    explain: 'It is proven that the message comes from the domain it names',
    test: (_facts, { dmarc }) => dmarc?.result === 'pass' && dmarc.domain,
  },
  {
    name: 'DMARC_FAIL_REJECT',
    score: 4,
    explain: 'The domain it claims to come from did not send it, and asks that such mail be refused',
    lever: 'It would count as real if DKIM or SPF passed for the From domain',
    test: (facts, evidence) => dmarcFailed(facts, evidence, 'reject'),
  },
  {
    name: 'DMARC_FAIL_QUARANTINE',
    score: 3,
    explain: 'The domain it claims to come from did not send it, and asks that such mail be set aside',
    lever: 'It would count as real if DKIM or SPF passed for the From domain',
    test: (facts, evidence) => dmarcFailed(facts, evidence, 'quarantine'),
  },
  {
    name: 'DMARC_FAIL',
    score: 0.9,
    explain:
      'It is not proven that the message comes from the domain it names, though that domain wants it proven',
    lever: 'It would count as real if DKIM or SPF passed for the From domain',
    test: (facts, evidence) => dmarcFailed(facts, evidence, 'none'),
  },
  {
    name: 'SENDER_UNPROVEN',
    score: 0.7,
    explain: 'Nothing proves who sent it',
    lever: 'The sender’s domain needs SPF or DKIM',
    test: (facts, evidence) => {
      if (!wasChecked(evidence) || isProven(facts, evidence)) return false;
      // Where a rule above has spoken, this one adds nothing.
      if (
        evidence.spf?.result === 'fail' ||
        evidence.spf?.result === 'softfail' ||
        evidence.dmarc?.result === 'fail'
      )
        return false;
      return (
        evidence.spf?.result !== 'temperror' &&
        evidence.dmarc?.result !== 'temperror' &&
        evidence.spf?.result !== 'pass' &&
        !facts.isAutomatic
      );
    },
  },
  {
    name: 'ARC_TRUSTED',
    score: -1.2,
    explain: 'A forwarder you trust vouches for it',
    test: (_facts, { arc }) => arc?.result === 'pass' && arc.trusted && arc.sealer,
  },
  {
    name: 'ARC_BROKEN',
    score: 0.4,
    explain: 'A forwarder’s seal is broken',
    test: (_facts, { arc }) => arc?.result === 'fail',
  },
  {
    name: 'RDNS_NONE',
    score: 1.2,
    explain: 'The address of the sending machine has no name, which mail servers have',
    lever: 'The provider of the sending server must set its reverse DNS',
    test: (_facts, evidence) =>
      isStranger(evidence) &&
      (evidence.rdns === null || (evidence.iprev === 'none' && evidence.rdns === undefined)),
  },
  {
    name: 'RDNS_UNCONFIRMED',
    score: 0.7,
    explain: 'The name of the sending machine does not lead back to it',
    lever: 'The name of the server must have its address',
    test: (_facts, evidence) => isStranger(evidence) && evidence.iprev === 'fail' && (evidence.rdns ?? true),
  },
  {
    name: 'RDNS_HOME_LINE',
    score: 1.2,
    explain: 'The sending machine is on a line for homes, where mail servers do not stand',
    lever: 'Send through the mail server of the provider',
    test: (_facts, evidence) =>
      isStranger(evidence) &&
      typeof evidence.rdns === 'string' &&
      isHomeLine(evidence.rdns, evidence.clientIp) &&
      evidence.rdns,
  },
  {
    name: 'HELO_IP',
    score: 1.4,
    explain: 'The sending machine introduced itself with a number instead of a name',
    lever: 'The server must say its full name in HELO',
    test: (_facts, evidence) =>
      isStranger(evidence) && /^(?:\d{1,3}\.){3}\d{1,3}$/.test(evidence.helo ?? '') && (evidence.helo ?? ''),
  },
  {
    name: 'HELO_LITERAL',
    score: 0.8,
    explain: 'The sending machine introduced itself by its address only',
    lever: 'The server must say its full name in HELO',
    test: (_facts, evidence) => isStranger(evidence) && (evidence.helo ?? '').startsWith('['),
  },
  {
    name: 'HELO_NOT_FULL',
    score: 1,
    explain: 'The sending machine introduced itself with half a name',
    lever: 'The server must say its full name in HELO',
    test: (_facts, evidence) => {
      const { helo } = evidence;
      return (
        isStranger(evidence) &&
        helo !== undefined &&
        helo !== '' &&
        !helo.startsWith('[') &&
        !helo.includes('.') &&
        !helo.includes(':') &&
        helo
      );
    },
  },
  {
    name: 'HELO_IMPOSTOR',
    score: 3.5,
    explain: 'The sending machine introduced itself as this server',
    test: (_facts, evidence) => {
      const helo = evidence.helo ?? '';
      if (!isStranger(evidence) || helo === '') return false;
      const isOurs = evidence.ownHosts?.has(helo) === true || evidence.ownDomains?.has(helo) === true;
      return isOurs && evidence.spf?.result !== 'pass' && helo;
    },
  },
  {
    name: 'HELO_UNKNOWN_NAME',
    score: 0.6,
    explain: 'The name the sending machine introduced itself with does not exist',
    lever: 'The name said in HELO must exist in DNS',
    test: (_facts, evidence) =>
      isStranger(evidence) &&
      evidence.heloResolves === false &&
      (evidence.helo ?? '').includes('.') &&
      (evidence.helo ?? ''),
  },
  {
    name: 'TALKED_TOO_EARLY',
    score: 2.5,
    explain: 'The sending machine did not wait for its turn, as programs that send spam do',
    test: (_facts, evidence) => isStranger(evidence) && evidence.earlyTalker === true,
  },
  {
    name: 'NO_ENCRYPTION',
    score: 0.3,
    explain: 'It came unencrypted, which real mail servers hardly do any more',
    test: (_facts, evidence) => isStranger(evidence) && evidence.tls === false,
  },
  {
    name: 'GUESSED_RECIPIENTS',
    score: 1.5,
    explain: 'The same sender tried addresses here that do not exist',
    test: (_facts, { unknownRecipients }) => (unknownRecipients ?? 0) > 1,
  },
  {
    name: 'SENT_TO_MANY_HERE',
    score: 0.4,
    explain: 'It went to many people here at once',
    test: (facts, { recipientCount }) => (recipientCount ?? 0) > 15 && !facts.isBulk,
  },
  {
    name: 'FIRST_CONTACT',
    score: 0.3,
    explain: 'Nobody here has had mail from this domain before',
    test: (facts, { firstContact }) => firstContact === true && (fromOf(facts)?.domain ?? true),
  },
  {
    name: 'CAME_BACK_WHEN_ASKED',
    score: -0.3,
    explain: 'The sending server came back when it was asked to, as real ones do',
    test: (_facts, { greylistPassed }) => greylistPassed === true,
  },
  {
    name: 'KNOWN_CORRESPONDENT',
    score: -3,
    explain: 'You have written to this sender before',
    test: (facts, evidence) =>
      evidence.knownCorrespondent === true && (!wasChecked(evidence) || isProven(facts, evidence)),
  },
  {
    name: 'ANSWERS_YOU',
    score: -3.5,
    explain: 'It answers a message that went out from here',
    test: (_facts, { replyToOwn }) => replyToOwn === true,
  },
  {
    name: 'LOGGED_IN',
    score: -5,
    explain: 'The sender logged in here',
    test: (_facts, { authenticated }) => authenticated === true,
  },
  {
    name: 'REPORT_ON_STRANGERS_MAIL',
    score: 1.6,
    explain: 'It reports on a message that did not go out from here',
    test: (facts, { replyToOwn, reversePath }) =>
      replyToOwn === false &&
      reversePath === '' &&
      facts.isAutomatic &&
      facts.mime.nestedMessages + facts.mime.multiparts.filter((one) => one === 'report').length > 0,
  },
];

/** DMARC failed, the domain asks for `policy`, and no trusted forwarder explains it. */
function dmarcFailed(
  facts: MessageFacts,
  evidence: RuleEvidence,
  policy: 'none' | 'quarantine' | 'reject',
): string | boolean {
  const { dmarc } = evidence;
  if (dmarc?.result !== 'fail' || dmarc.policy !== policy) return false;
  return !isProven(facts, evidence) && dmarc.domain;
}

/** Names that providers give to lines of homes: the address in the name, "dyn", "pool", "dsl". */
function isHomeLine(rdns: string, ip: string | undefined): boolean {
  const name = rdns.toLowerCase();
  if (/(?:^|[.-])(?:mail|mx|smtp|mta|out|static|srv|server|vps|relay)\d{0,3}[.-]/.test(name)) return false;
  if (
    /(?:^|[.\d-])(?:dyn|dynamic|dynip|dhcp|pool|ppp|dial|dialup|dialin|adsl|vdsl|dsl|cable|cust|client|home|broadband|fiber|ftth|res|mobile|wireless|user)\d{0,4}[.\d-]/.test(
      name,
    )
  )
    return true;
  if (ip === undefined || !ip.includes('.')) return false;
  const octets = ip.split('.');
  const [a = '', b = '', c = '', d = ''] = octets;
  return [`${a}-${b}-${c}-${d}`, `${d}-${c}-${b}-${a}`, `${a}.${b}.${c}.${d}.`, `${d}.${c}.${b}.${a}.`].some(
    (form) => name.includes(form),
  );
}
