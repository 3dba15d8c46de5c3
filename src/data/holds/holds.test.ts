import { openInlineStore } from '../inline.ts';
import { holdsContract } from './holds.contract.ts';

holdsContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
