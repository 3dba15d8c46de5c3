import { openInlineStore } from '../inline.ts';
import { mailstoreContract } from './mailstore.contract.ts';

mailstoreContract(({ clock }) => openInlineStore({ path: ':memory:', clock }), [1, 2, 3, 4]);
