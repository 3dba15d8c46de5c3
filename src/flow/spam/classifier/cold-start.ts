/** The model that a new site begins with: parameters learned by bench/spam/cold-start.ts, no text of any mail. */
import { readFileSync } from 'node:fs';
import { createModel, type Model } from './model.ts';
import { loadModel } from './store.ts';

export const COLD_START_FILE = new URL('./cold-start.bin', import.meta.url);

/** A fresh copy of the shipped model; one that knows nothing where the file is missing. Reads the file: call it once. */
export function coldStart(): Model {
  let octets: Buffer;
  try {
    octets = readFileSync(COLD_START_FILE);
  } catch {
    return createModel();
  }
  return loadModel(octets);
}
