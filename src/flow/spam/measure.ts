/** How well scores part good mail from spam. */

export interface Measured {
  readonly ham: number;
  readonly spam: number;
  /** 1-ROCA in per cent: how often a good message scores above a spam. */
  readonly missRoca: number;
  /** Per cent of good mail lost when 98 % and 99 % of the spam is caught. */
  readonly lossAt98: number;
  readonly lossAt99: number;
  /** Per cent of good mail in Junk, and of spam in the inbox, at the default threshold. */
  readonly hamLost: number;
  readonly spamMissed: number;
}

export interface Scored {
  readonly spam: boolean;
  readonly score: number;
  readonly junk: boolean;
}

export function measure(all: readonly Scored[]): Measured {
  const ham = all.filter(({ spam }) => !spam);
  const spam = all.filter((one) => one.spam);
  const percent = (part: number, of: number): number => (of === 0 ? 0 : (100 * part) / of);
  return {
    ham: ham.length,
    spam: spam.length,
    missRoca: missRoca(all, ham.length, spam.length),
    lossAt98: lossAt(0.98, ham, spam),
    lossAt99: lossAt(0.99, ham, spam),
    hamLost: percent(ham.filter(({ junk }) => junk).length, ham.length),
    spamMissed: percent(spam.filter(({ junk }) => !junk).length, spam.length),
  };
}

/** By ranks (Mann-Whitney); equal scores count half. */
function missRoca(all: readonly Scored[], hams: number, spams: number): number {
  if (hams === 0 || spams === 0) return 0;
  const sorted = all.toSorted((a, b) => a.score - b.score);
  let wrong = 0;
  let spamsBelow = 0;
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    let [equalHam, equalSpam] = [0, 0];
    while (end < sorted.length && sorted[end]?.score === sorted[at]?.score) {
      if (sorted[end++]?.spam === true) equalSpam++;
      else equalHam++;
    }
    wrong += equalHam * (spamsBelow + equalSpam / 2);
    spamsBelow += equalSpam;
    at = end;
  }
  return (100 * wrong) / (hams * spams);
}

function lossAt(caught: number, ham: readonly Scored[], spam: readonly Scored[]): number {
  if (ham.length === 0 || spam.length === 0) return 0;
  const scores = spam.map(({ score }) => score).toSorted((a, b) => b - a);
  const line = scores[Math.ceil(caught * scores.length) - 1] ?? 0;
  return (100 * ham.filter(({ score }) => score >= line).length) / ham.length;
}
