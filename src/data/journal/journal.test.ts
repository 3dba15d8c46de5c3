import { openInlineStore } from '../inline.ts';
import { journalContract } from './journal.contract.ts';

journalContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
