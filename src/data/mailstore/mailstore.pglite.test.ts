import { openPgliteContractStore } from './contract-pglite.ts';
import { mailstoreContract } from './mailstore.contract.ts';

mailstoreContract('PostgreSQL', openPgliteContractStore, [5]);
