import { openInlineStore } from '../inline.ts';
import { greylistContract } from './greylist.contract.ts';

greylistContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
