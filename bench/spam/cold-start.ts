/**
 * Makes the model that Postern ships: `node bench/spam/cold-start.ts PATH [OUT]`. The same corpus and the same code make
 * the same octets. Only weights of hashed features are written, no text of any mail.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  COLD_START_FILE,
  createModel,
  saveModel,
  score,
  loadModel,
  train,
} from '../../src/flow/spam/classifier/index.ts'; // prettier-ignore
import { readCorpus } from './corpus.ts';
import { roca } from './metrics.ts';
import { featuresOf } from './peers/postern.ts';

/** Octets: the package shall stay small. */
const LIMIT = 768 * 1024;
/** Weights below this share of the largest are left out: they are many and say little. */
const FLOOR = 0.004;

const [path, out = fileURLToPath(COLD_START_FILE)] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: node bench/spam/cold-start.ts PATH [OUT]');

const examples = readCorpus(path).map((one) => ({ features: featuresOf(one), label: one.label }));
const model = createModel();
train(model, examples);
const octets = saveModel(model, 'start', FLOOR);
if (octets.length > LIMIT) throw new Error(`${octets.length} octets, more than ${LIMIT}`);
writeFileSync(out, octets);
const again = loadModel(octets);
const fit = roca(examples.map(({ features, label }) => ({ label, score: score(again, features).logit })));
console.log(`${out}: ${octets.length} octets; 1-ROCA on what it learned ${fit.toFixed(4)} %`);
