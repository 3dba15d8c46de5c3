import { sampleOf } from '../flow/spam/facts/sample.ts';
import type { Filter } from '../flow/spam/filter.ts';
import { decide } from '../flow/spam/verdict.ts';
import type { OutgoingVerdict } from '../flow/submission/outgoing.ts';

/** What is short of certain holds nobody's letter. */
const UNSURE = 0.5;

/** The filter's word on what people here send: only what would be refused beyond doubt counts as spam. */
export function judgeOutgoing(filter: Filter): OutgoingVerdict {
  return async ({ message }) => {
    const { enabled, good_per_junked: goodPerJunked } = filter.settings;
    if (!enabled) return undefined;
    const { structure, header, octets } = message;
    const sample = await sampleOf(structure, header, (start, end) => octets.bytes(start, end));
    const scanned = await filter.scanner.judge({
      sample,
      owners: [],
      policy: { refuse: [], junk: [] },
      goodPerJunked,
      evidence: { authenticated: true },
    });
    const [content] = scanned?.content ?? [];
    if (content === undefined) return undefined;
    const { threshold, score } = content;
    const { action, probability } = decide({
      content: score,
      because: [],
      facts: [],
      decisions: [],
      threshold,
      mayRefuse: true,
    });
    return action === 'refuse' ? probability : UNSURE;
  };
}
