import { openInlineStore } from '../inline.ts';
import { certificatesContract } from './certificates.contract.ts';

certificatesContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
