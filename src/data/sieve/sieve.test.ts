import { openInlineStore } from '../inline.ts';
import { sieveContract } from './sieve.contract.ts';

sieveContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
