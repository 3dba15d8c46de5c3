/** What replies say of the speed we send at. Greylisting is not about that: it wants patience, not less mail. */

/** Characters of a reply that are looked at. */
const TEXT_MAX = 2000;

/** A server that does not know the pair of sender and recipient yet. */
const GREYLIST = /gr[ea]y[- ]?list|postgrey|milter-greylist/i;

/** Too many connections, too fast, too much from us: the words of those who limit rates. */
const RATE_WORDS =
  /too many (?:concurrent |simultaneous |open |smtp |parallel )*(?:connections?|sessions?)|connections? (?:rate |count )?(?:limit|refused due to)|concurren|rate[- ]?limit|throttl|too (?:fast|quickly|frequent)|too many (?:messages|mails|emails|requests)|too much mail|unusual rate|sending rate|\brate (?:of|is|that)|exceed\w* (?:the |your |its )?(?:\w+ )?(?:rate|connection|message|limit|quota)|unexpected volume|slow down|temporarily deferred due to|\[TSS?\d\d\]|\bTS0\d\b|\bRP-00[1-3]\b|resources restricted/i;

/** Gmail's rate limits, Microsoft's "rate limited by reputation" (4.7.5xx and 4.7.6xx), 4.7.0 of a closing server. */
const RATE_STATUS = /^4\.(?:7\.28|7\.(?:5|6)\d\d|16\.55)$/;

/** What is about one mailbox, not about all we send there (4.2.1: it gets mail too quickly; 4.2.2: it is full). */
const MAILBOX_STATUS = /^[45]\.2\.\d/;

interface Parts {
  readonly code: number;
  readonly status: string;
  readonly text: string;
}

function partsOf(reply: string): Parts {
  const match = /^(\d{3})[ -](?:(\d\.\d{1,3}\.\d{1,3})\b)?/.exec(reply);
  return { code: Number(match?.[1] ?? 0), status: match?.[2] ?? '', text: reply.slice(0, TEXT_MAX) };
}

/** Whether a reply asks us to send less or slower to the whole destination. */
export function isRateTrouble(reply: string): boolean {
  const { code, status, text } = partsOf(reply);
  if (code < 400 || code > 499 || GREYLIST.test(text) || MAILBOX_STATUS.test(status)) return false;
  if (RATE_STATUS.test(status) || RATE_WORDS.test(text)) return true;
  // 4.7.0 with 421: "we close because of what you are"; without it is every policy there is.
  return code === 421 && status === '4.7.0';
}

/** Whether an IPv6 session was refused for what IPv4 may not be: no PTR, unknown there, a listed network. */
export function isIpv6Trouble(reply: string): boolean {
  const { code, status, text } = partsOf(reply);
  if (code < 400) return false;
  if (/^[45]\.7\.2[57]$/.test(status)) return true;
  return (
    /\bipv6\b|\bPTR\b|reverse (?:dns|lookup|name|hostname)|\brdns\b|reverse-dns/i.test(text) || listed(text)
  );
}

/** "blocked using zen.example", naming an IPv6 address. */
function listed(text: string): boolean {
  return /\b(?:block|list|reject|denied)/i.test(text) && /\b[0-9a-f]{1,4}:[0-9a-f]{0,4}:/i.test(text);
}

/** Milliseconds a reply asks us to wait ("try again in 300 seconds"); undefined when it names no time. */
export function askedPauseMs(reply: string): number | undefined {
  const match = /\b(?:in|after|for) (\d{1,5}) ?(s|sec|second|m|min|minute|h|hour)s?\b/i.exec(
    reply.slice(0, TEXT_MAX),
  );
  if (match === null) return undefined;
  const unit = (match[2] ?? 's').toLowerCase();
  const factor = unit.startsWith('h') ? 3_600_000 : unit.startsWith('m') ? 60_000 : 1000;
  return Number(match[1]) * factor;
}
