import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, Refusal } from '../../base/errors.ts';
import {
  coldStart,
  type ContentJudgement,
  createModel,
  type Features,
  features,
  loadModel,
  type Model,
  ModelError,
  offlineScore,
  saveModel,
} from '../../flow/spam/classifier/index.ts';
import { extractFacts } from '../../flow/spam/facts/extract.ts';
import { sampleOfBuffer } from '../../flow/spam/facts/sample.ts';
import type { MessageFacts } from '../../flow/spam/facts/types.ts';
import { evaluate } from '../../flow/spam/rules/index.ts';
import type { Hit } from '../../flow/spam/rules/types.ts';
import { fileWords, unreadable } from './file-words.ts';

/** Judging and learning messages on the command line, with a model in a folder, or the one that comes with the program. */

const FILE = 'model.bin';

/** The model of a folder; undefined when there is none yet. @throws Refusal for one that cannot be read */
export async function storedModel(directory: string): Promise<Model | undefined> {
  const path = join(directory, FILE);
  try {
    return loadModel(await readFile(path));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    if (error instanceof ModelError) throw new Refusal('bad-input', `${path}: ${error.message}`);
    throw unreadable(path, error);
  }
}

/** The model to judge by: of the folder, or the one shipped with the program. */
export async function modelFor(directory: string | undefined): Promise<Model> {
  if (directory === undefined) return coldStart();
  const model = await storedModel(directory);
  if (model === undefined)
    throw new Refusal(
      'not-found',
      `There is no model in ${directory}: make one with "postern spam train --model ${directory}".`,
    );
  return model;
}

export async function modelToTrain(directory: string): Promise<Model> {
  return (await storedModel(directory)) ?? createModel();
}

/** Whole or not at all: the old model stays until the new one is on the disk. */
export async function keepModel(directory: string, model: Model): Promise<void> {
  const path = join(directory, FILE);
  try {
    await mkdir(directory, { recursive: true });
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(saveModel(model));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  } catch (error) {
    throw new Refusal('bad-input', `${path} cannot be written: ${fileWords(error)}`);
  }
}

function read(octets: Buffer): { facts: MessageFacts; hits: Hit[] } {
  const facts = extractFacts(sampleOfBuffer(octets));
  return { facts, hits: evaluate(facts) };
}

export function featuresOf(octets: Buffer): Features {
  const { facts, hits } = read(octets);
  return features(facts, hits);
}

export function scoreOf(model: Model, octets: Buffer): ContentJudgement {
  const { facts, hits } = read(octets);
  return offlineScore(facts, hits, model);
}
