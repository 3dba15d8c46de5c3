import { openSqliteContractStore } from './contract-store.ts';
import { mailstoreContract } from './mailstore.contract.ts';

mailstoreContract('SQLite', openSqliteContractStore);
