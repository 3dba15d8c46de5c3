import { openInlineStore } from '../inline.ts';
import { reportsContract } from './reports.contract.ts';

reportsContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
