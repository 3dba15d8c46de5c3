import { openInlineStore } from '../inline.ts';
import { spamContract } from './spam.contract.ts';

spamContract(({ clock }) => openInlineStore({ path: ':memory:', clock }), { fillUp: true });
