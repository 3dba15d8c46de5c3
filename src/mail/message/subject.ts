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

/** Step 4: a blob at the front, if something is left behind it. */
function withoutBlob(text: string): string | undefined {
  const blob = BLOB.exec(text);
  return blob === null || blob[0].length === text.length ? undefined : text.slice(blob[0].length);
}

/** Step 2: white space and "(fwd)" at the end. */
function withoutTrailer(text: string): string {
  let rest = text.trimEnd();
  while (rest.toLowerCase().endsWith('(fwd)')) rest = rest.slice(0, -5).trimEnd();
  return rest;
}

/** The base subject of `subject`, which is decoded text (`decodeWords`). Case is kept; compare without it. */
export function baseSubject(subject: string): string {
  let text = subject.slice(0, MAX_SUBJECT).replace(/\s+/g, ' ').trimStart(); // step 1
  for (;;) {
    text = withoutTrailer(text);
    for (;;) {
      const next = withoutLeader(text)?.trimStart() ?? withoutBlob(text);
      if (next === undefined) break;
      text = next;
    }
    // Step 6: "[Fwd: ...]" around everything.
    if (!/^\[fwd:/i.test(text) || !text.endsWith(']')) return text;
    text = text.slice(5, -1).trimStart();
  }
}

/** True when the base subject differs from the subject by a reply or forward mark, as RFC 5256 threading asks. */
export function isReplySubject(subject: string): boolean {
  const text = withoutTrailer(subject.slice(0, MAX_SUBJECT).replace(/\s+/g, ' ').trimStart());
  return (
    withoutLeader(text) !== undefined ||
    /^\[fwd:.*\]$/i.test(text) ||
    /\(fwd\)\s*$/i.test(subject.slice(0, MAX_SUBJECT))
  );
}
