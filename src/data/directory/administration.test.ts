import { openInlineStore } from '../inline.ts';
import { administrationContract } from './administration.contract.ts';

administrationContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
