import { openInlineStore } from '../inline.ts';
import { directoryContract } from './directory.contract.ts';

directoryContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
