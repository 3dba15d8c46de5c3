import { openInlineStore } from '../inline.ts';
import { accountContract } from './account.contract.ts';

accountContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
