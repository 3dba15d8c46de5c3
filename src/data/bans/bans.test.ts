import { openInlineStore } from '../inline.ts';
import { bansContract } from './bans.contract.ts';

bansContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
