import { openInlineStore } from '../inline.ts';
import { intakeContract } from './intake.contract.ts';

intakeContract(({ clock }) => openInlineStore({ path: ':memory:', clock }));
