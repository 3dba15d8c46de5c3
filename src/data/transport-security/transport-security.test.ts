import { openInlineStore } from '../inline.ts';
import { transportSecurityContract } from './transport-security.contract.ts';

transportSecurityContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
