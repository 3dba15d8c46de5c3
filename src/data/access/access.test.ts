import { openInlineStore } from '../inline.ts';
import { accessContract } from './access.contract.ts';

accessContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
