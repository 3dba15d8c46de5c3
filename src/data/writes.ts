import { writes as delivery } from './delivery/writes.ts';
import { writes as directory } from './directory/writes.ts';
import { writes as journal } from './journal/writes.ts';
import { writes as mailstore } from './mailstore/writes.ts';
import { writes as queue } from './queue/writes.ts';
import { writes as srs } from './srs/srs.ts';

/** Every write of the program, by name. The store runs nothing else. */
export const writes = { ...directory, ...mailstore, ...queue, ...delivery, ...journal, ...srs } as const;
