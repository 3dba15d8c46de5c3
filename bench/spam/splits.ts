/** How the corpus is cut into what a filter has been told and what it is asked. */
import { createHash } from 'node:crypto';
import { bare, type Sample } from './corpus.ts';
import { mulberry } from './metrics.ts';

/** One step: learn these, then judge those. A filter starts each run knowing nothing. */
export interface Step {
  readonly learn: readonly Sample[];
  readonly judge: readonly Sample[];
}

export interface Split {
  readonly name: string;
  readonly about: string;
  /** Each run is pooled on its own: scores of different runs are not compared. */
  readonly runs: readonly (readonly Step[])[];
  /** Each message is learned and judged once at most: for slow filters too. */
  readonly once: boolean;
  /** What is judged from this message on is measured by itself too. */
  readonly settled?: number;
}

/** Messages between a message and its label. */
const DELAY = 500;
/** Messages that the delayed split begins with, learned at once: a filter that knows nothing cannot be compared. */
const WARM = 500;
/** Messages after which every filter has begun: Bayes of SpamAssassin and of rspamd waits for 200 of each kind. */
const SETTLED = 1_000;
/** Times that halves are drawn. */
const DRAWS = 4;
const FOLDS = 10;
const SENDER_FOLDS = 5;
/** A source smaller than this is not left out by itself. */
const SMALLEST_SOURCE = 100;

export function makeSplits(all: readonly Sample[]): Split[] {
  const half = Math.floor(all.length / 2);
  const first = all.slice(0, half);
  const second = all.slice(half);
  const left = strangers(all);
  return [
    {
      name: 'immediate',
      about: 'in time order, each label told right after the message is judged',
      once: true,
      settled: SETTLED,
      runs: [all.map((one, i) => ({ learn: i === 0 ? [] : all.slice(i - 1, i), judge: [one] }))],
    },
    {
      name: 'delayed',
      about: `in time order, each label told ${DELAY} messages later; begins with ${WARM} labelled ones`,
      once: true,
      runs: [
        [
          { learn: all.slice(0, WARM), judge: [] },
          ...all
            .slice(WARM + DELAY)
            .map((one, i) => ({ learn: all.slice(WARM + i, WARM + i + 1), judge: [one] })),
        ],
      ],
    },
    {
      name: 'half-time',
      about: 'learns the older half, judges the newer half',
      once: true,
      runs: [[{ learn: first, judge: second }]],
    },
    {
      name: 'half-turned',
      about: 'learns the newer half, judges the older half',
      once: true,
      runs: [[{ learn: second, judge: first }]],
    },
    {
      name: 'half-mixed',
      about: 'learns every other message, judges the rest; and the other way round',
      once: true,
      runs: [0, 1].map((k) => [
        { learn: all.filter((_, i) => i % 2 !== k), judge: all.filter((_, i) => i % 2 === k) },
      ]),
    },
    {
      name: 'half-drawn',
      about: `${DRAWS} times halves drawn at random, each judged by what learned the other`,
      once: false,
      runs: parts(DRAWS).flatMap((draw) => {
        const random = mulberry(draw);
        const inFirst = all.map(() => random() < 0.5);
        return [true, false].map((judged) => [
          {
            learn: all.filter((_, i) => inFirst[i] !== judged),
            judge: all.filter((_, i) => inFirst[i] === judged),
          },
        ]);
      }),
    },
    {
      name: 'folds',
      about: `${FOLDS} folds, each judged by what learned the other nine`,
      once: false,
      runs: parts(FOLDS).map((k) => [
        { learn: all.filter((_, i) => i % FOLDS !== k), judge: all.filter((_, i) => i % FOLDS === k) },
      ]),
    },
    {
      name: 'bare',
      about: `the ${FOLDS} folds, but what is judged has lost all header fields except From, To, Subject and Content-*`,
      once: false,
      runs: parts(FOLDS).map((k) => [
        {
          learn: all.filter((_, i) => i % FOLDS !== k),
          judge: all.filter((_, i) => i % FOLDS === k).map(bare),
        },
      ]),
    },
    {
      name: 'senders',
      about: `${SENDER_FOLDS} folds by the domain of From: nobody who is judged has been seen before`,
      once: false,
      runs: parts(SENDER_FOLDS).map((k) => [
        {
          learn: all.filter((one) => bySender(one) !== k),
          judge: all.filter((one) => bySender(one) === k),
        },
      ]),
    },
    {
      name: 'strangers',
      about: 'leaves out one source of ham (a list, a person) and a share of the spam, and judges those',
      once: false,
      runs: left.filter(({ source }) => source !== 'newsletters').map(({ run }) => run),
    },
    {
      name: 'newsletters',
      about: 'leaves out all newsletters and a share of the spam, and judges those',
      once: true,
      runs: left.filter(({ source }) => source === 'newsletters').map(({ run }) => run),
    },
  ];
}

function parts(count: number): number[] {
  return Array.from({ length: count }, (_, k) => k);
}

function bySender(one: Sample): number {
  return createHash('sha256').update(one.sender).digest().readUInt32BE(0) % SENDER_FOLDS;
}

/** A run for each source of ham; the spam is dealt to the runs, those sent through the same list to its own run. */
function strangers(all: readonly Sample[]): { source: string; run: Step[] }[] {
  const counts = new Map<string, number>();
  for (const one of all) {
    if (one.label === 'ham') counts.set(one.source, (counts.get(one.source) ?? 0) + 1);
  }
  const sources = [...counts]
    .filter(([, n]) => n >= SMALLEST_SOURCE)
    .map(([source]) => source)
    .toSorted();
  let dealt = 0;
  const runOf = new Map<Sample, string>();
  for (const one of all) {
    if (sources.includes(one.source) && (one.label === 'ham' || one.source !== 'direct'))
      runOf.set(one, one.source);
    else if (one.label === 'spam') runOf.set(one, sources[dealt++ % sources.length] ?? '');
  }
  return sources.map((source) => ({
    source,
    run: [
      {
        learn: all.filter((one) => runOf.get(one) !== source),
        judge: all.filter((one) => runOf.get(one) === source),
      },
    ],
  }));
}
