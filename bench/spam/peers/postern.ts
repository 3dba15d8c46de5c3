/** Our own filter: content rules and classifier, trained from nothing, as `postern spam train --model DIR` does. */
import {
  createModel,
  type Features,
  features,
  learn,
  score,
  threshold,
  train,
} from '../../../src/flow/spam/classifier/index.ts'; // prettier-ignore
import { extractFacts } from '../../../src/flow/spam/facts/extract.ts';
import { sampleOfBuffer } from '../../../src/flow/spam/facts/sample.ts';
import { evaluate } from '../../../src/flow/spam/rules/index.ts';
import type { Sample } from '../corpus.ts';
import type { Filter, Session } from './filter.ts';

/** At most one good message in so many: the knob's default. */
const KNOB = 1000;
/** More than this at once is a folder, read several times; less is learned message by message. */
const FOLDER = 100;

export const postern: Filter = {
  name: 'postern',
  slow: false,
  missing: () => undefined,
  begin: () => session(),
};

const known = new Map<string, Features>();

/** Features of a message; kept, for they depend on nothing that is learned. */
export function featuresOf(sample: Sample): Features {
  const held = known.get(sample.path);
  if (held) return held;
  const made = featuresOfBytes(sample.bytes);
  known.set(sample.path, made);
  return made;
}

export function featuresOfBytes(bytes: Buffer): Features {
  const facts = extractFacts(sampleOfBuffer(withoutMboxLine(bytes)));
  return features(
    facts,
    evaluate(facts).filter(({ outside }) => !outside),
  );
}

/** The line that mailbox files put in front of each message. */
export function withoutMboxLine(bytes: Buffer): Buffer {
  return bytes.toString('latin1', 0, 5) === 'From ' ? bytes.subarray(bytes.indexOf(10) + 1) : bytes;
}

function session(): Session {
  const model = createModel();
  return {
    learn(samples) {
      if (samples.length > FOLDER) {
        train(
          model,
          samples.map((one) => ({ features: featuresOf(one), label: one.label })),
        );
        return;
      }
      for (const one of samples) learn(model, featuresOf(one), one.label);
    },
    judge(samples) {
      const line = threshold(model, KNOB);
      return samples.map((one) => {
        const { logit, probability } = score(model, featuresOf(one));
        return { score: logit, junk: probability >= line };
      });
    },
    end() {},
  };
}
