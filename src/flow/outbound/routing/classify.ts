import type { Cause, Outcome } from '../transport.ts';

/**
 * Why a recipient was refused, told from a reply (RFC 5321 4.2, RFC 3463, and the words large providers use). The texts
 * decide before the codes: 550 5.7.1 stands for everything. Patterns are literal alternatives, linear in the reply.
 */

/** UTF-16 units of a reply that are looked at. */
const LOOKED_AT = 2000;

interface Sign {
  readonly cause: Cause;
  readonly words: RegExp;
}

/** In order: what is more particular stands first. */
const SIGNS: readonly Sign[] = [
  { cause: 'greylisted', words: /gr[ae]y[- ]?list|postgrey|(?:please )?try again in \d+ (?:sec|min)/i },
  {
    cause: 'sender',
    words:
      /not verified|identities failed the check|sender (?:address )?(?:rejected|denied)|5\.7\.(?:60|511)\b|not authori[sz]ed to send as|mail from (?:address )?(?:is )?not allowed/i,
  },
  {
    cause: 'quota',
    words:
      /daily (?:message )?(?:sending )?quota|quota (?:of messages )?exceeded for (?:this|the) (?:account|day)|sending limit (?:for|of) (?:this|your) account/i,
  },
  {
    cause: 'recipient',
    words:
      /(?:user|recipient|mailbox|account|address) (?:is )?(?:unknown|not found|disabled|inactive|unavailable|does not exist|doesn't exist|over quota|full)|no such (?:user|recipient|mailbox|person|address)|unknown (?:user|recipient|local part)|does(?:n't| not) (?:exist|have (?:a|an) [a-z.]{1,40} account)|mailbox (?:is )?full|over ?quota|invalid recipient|unrouteable|not our customer|5\.1\.10/i,
  },
  {
    cause: 'reputation',
    words:
      /spamhaus|spamcop|barracuda ?central|sorbs|uceprotect|invaluement|senderscore|dnsbl|\brbl\b|bl(?:ack|ock) ?-?list|listed (?:by|in|at|on)|poor reputation|(?:low|bad) reputation|reputation of|ip (?:address )?(?:is )?(?:blocked|banned|blacklisted|not (?:allowed|authori[sz]ed))|(?:banned|blocked) sending ip|the ip you.?re using|dynamic(?:ally)? (?:ip|address|assigned)|residential|dial-?up|\bPTR\b|reverse dns|rdns|no reverse|network is on our block ?list|\(?S3140\)?|S3150|\bRP-00[1-3]\b|\bTSS0\d\b|\[BL\d\d\]|\bCS01\b|\bHM0[78]\b|5\.7\.(?:25|606|60[67]|649|708)\b|tosa@|traffic not accepted from this ip|smtp relay at your service provider/i,
  },
  {
    cause: 'rate',
    words:
      /too many (?:connections|messages|recipients|concurrent|sessions|requests|mails?)|rate[- ]?limit|throttl|4\.7\.28|4\.3\.2|unusual rate|slow down|exceeded.{0,40}(?:rate|limit)|concurren|resources temporarily|server (?:is )?busy|connection limit|maximum sending rate|temporarily deferred/i,
  },
  {
    cause: 'size',
    words:
      /5\.3\.4|5\.2\.3|message (?:size )?(?:is )?(?:too (?:large|big)|exceeds)|size limit|exceeds .{0,30}size/i,
  },
  {
    cause: 'tls',
    words:
      /must issue a starttls|5\.7\.10\b|5\.7\.30\b|encryption (?:is )?required|tls (?:is )?required|certificate/i,
  },
  {
    cause: 'content',
    words:
      /\bspam\b|unsolicited|virus|malware|phish|message content|content (?:rejected|denied|blocked|filter)|looks like (?:spam|junk)|bulk mail|attachment|5\.7\.350|url.{0,20}(?:listed|block)/i,
  },
];

/** The cause of an outcome that is no delivery. */
export function causeOf(outcome: Outcome): Cause {
  if (outcome.cause !== undefined) return outcome.cause;
  const text = outcome.reply.slice(0, LOOKED_AT);
  const [, code = '', enhanced = ''] = /^(\d{3})(?: (\d\.\d{1,3}\.\d{1,3}))?/.exec(text) ?? [];
  // What nobody answered is ours to know by the code we gave it.
  if (outcome.answered === false) return fromEnhanced(enhanced) ?? 'ours';
  if (enhanced === '5.1.1' || enhanced === '5.1.2' || enhanced === '5.2.1' || enhanced === '5.2.2')
    return 'recipient';
  for (const { cause, words } of SIGNS) if (words.test(text)) return cause;
  const told = fromEnhanced(enhanced);
  if (told !== undefined) return told;
  if (code === '552') return 'size';
  if (code === '530' || code === '534' || code === '535') return 'auth';
  if (code === '421') return 'rate';
  return 'policy';
}

/** By subject and detail (RFC 3463 section 3), whatever the class. */
function fromEnhanced(enhanced: string): Cause | undefined {
  const [, subject, detail] = enhanced.split('.');
  if (subject === '1') return detail === '7' || detail === '8' ? 'sender' : 'recipient';
  if (subject === '2') return detail === '3' ? 'size' : 'recipient';
  if (subject === '3') return detail === '4' ? 'size' : detail === '2' ? 'rate' : undefined;
  if (subject === '4') return detail === '5' ? 'rate' : 'network';
  if (subject === '5') return detail === '3' ? 'rate' : undefined;
  if (subject === '6') return 'message';
  return undefined;
}
