import { openInlineStore } from '../inline.ts';
import { queueContract } from './queue.contract.ts';

queueContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
