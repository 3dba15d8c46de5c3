import { openPgliteContractStore } from './contract-store.ts';
import { mailstoreContract } from './mailstore.contract.ts';

mailstoreContract('PostgreSQL', openPgliteContractStore);
