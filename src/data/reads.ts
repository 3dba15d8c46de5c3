import { reads as blobs } from './blobs/reads.ts';
import { reads as directory } from './directory/reads.ts';
import { reads as journal } from './journal/reads.ts';
import { reads as mailstore } from './mailstore/reads.ts';
import { reads as queue } from './queue/reads.ts';
import { reads as srs } from './srs/srs.ts';

/** Every read of the program, by name. */
export const reads = { ...blobs, ...directory, ...mailstore, ...queue, ...journal, ...srs } as const;
