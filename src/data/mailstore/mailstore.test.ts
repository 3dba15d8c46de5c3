import { openSqliteContractStore } from './contract-store.ts';
import { mailstoreContract } from './mailstore.contract.ts';

mailstoreContract('SQLite', openSqliteContractStore, [1, 2, 3, 4]);
