/** The base subject by which replies are recognised (RFC 5256 2.1). */

/** Characters of a subject that count: the rules below look again and again at what is left. */
const MAX_SUBJECT = 1000;

const REPLY = /^(?:re|fwd?)[ \t]*(?:\[[^[\]]*\][ \t]*)?:/i; // subj-refwd
const BLOB = /^\[[^[\]]*\][ \t]*/; // subj-blob

/** Step 3: `*subj-blob subj-refwd` at the front, or undefined. */
function withoutLeader(text: string): string | undefined {
  let rest = text;
  for (;;) {
    const reply = REPLY.exec(rest);
    if (reply !== null) return rest.slice(reply[0].length);
    const blob = BLOB.exec(rest);
    if (blob === null) return undefined;
    rest = rest.slice(blob[0].length);
  }
}

/**
 * Step 4, as often as it can be done: blobs at the front, if something is left behind them. Where step 3 has failed it
 * fails again behind each of them, so it need not be asked in between.
 */
function withoutBlobs(text: string): string | undefined {
  let rest = text;
  for (;;) {
    const blob = BLOB.exec(rest);
    if (blob === null || blob[0].length === rest.length) return rest === text ? undefined : rest;
    rest = rest.slice(blob[0].length);
  }
}

/** Step 2: white space and "(fwd)" at the end. */
function withoutTrailer(text: string): string {
  let rest = text.trimEnd();
  while (rest.toLowerCase().endsWith('(fwd)')) rest = rest.slice(0, -5).trimEnd();
  return rest;
}

/** What RFC 5256 2.1 makes of a subject, which is decoded text (`decodeWords`). */
export interface SubjectParts {
  /** Case is kept; compare without it. */
  readonly base: string;
  /** Whether a mark of a reply or a forward was taken away on the way to the base. */
  readonly reply: boolean;
}

export function subjectParts(subject: string): SubjectParts {
  let text = subject.slice(0, MAX_SUBJECT).replace(/\s+/g, ' ').trimStart(); // step 1
  let reply = false;
  for (;;) {
    const ended = withoutTrailer(text);
    if (ended.length < text.trimEnd().length) reply = true;
    text = ended;
    for (;;) {
      const led = withoutLeader(text)?.trimStart();
      if (led !== undefined) reply = true;
      const next = led ?? withoutBlobs(text);
      if (next === undefined) break;
      text = next;
    }
    // Step 6: "[Fwd: ...]" around everything.
    if (!/^\[fwd:/i.test(text) || !text.endsWith(']')) return { base: text, reply };
    reply = true;
    text = text.slice(5, -1).trimStart();
  }
}

/** The base subject of `subject`, which is decoded text (`decodeWords`). Case is kept; compare without it. */
export function baseSubject(subject: string): string {
  return subjectParts(subject).base;
}

/** True when the base subject differs from the subject by a reply or forward mark, as RFC 5256 threading asks. */
export function isReplySubject(subject: string): boolean {
  return subjectParts(subject).reply;
}
