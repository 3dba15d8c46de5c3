import { openInlineStore } from '../inline.ts';
import { vaultContract } from './vault.contract.ts';

vaultContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
