import type { WriteTx } from '../db/sql.ts';
import { addAppPassword, changePassword, noteUse, removeAppPassword } from './app-passwords.ts';
import {
  addPasskey,
  beginTotp,
  confirmTotp,
  removePasskey,
  removeTotp,
  renewRecovery,
  resetFactors,
  spendRecovery,
  spendTotp,
  usePasskey,
} from './factors.ts';
import {
  grant,
  noteGrant,
  redeemCode,
  refresh,
  registerClient,
  removeGrant,
  revokeToken,
  sweepOauth,
} from './oauth.ts';
import {
  confirmSession,
  endSession,
  endSessions,
  openSession,
  sweepSessions,
  useSession,
} from './sessions.ts';

/**
 * What accounts sign in with. Those with an `actor` are for the account itself and for who administers it, and leave an
 * audit row; the others note what a login has done.
 */
export const writes = {
  'access.addAppPassword': addAppPassword,
  'access.removeAppPassword': removeAppPassword,
  'access.noteAppPassword': noteUse,
  'access.changePassword': changePassword,
  'access.openSession': openSession,
  'access.useSession': useSession,
  'access.confirmSession': confirmSession,
  'access.endSession': endSession,
  'access.endSessions': endSessions,
  'access.beginTotp': beginTotp,
  'access.confirmTotp': confirmTotp,
  'access.spendTotp': spendTotp,
  'access.removeTotp': removeTotp,
  'access.spendRecovery': spendRecovery,
  'access.renewRecovery': renewRecovery,
  'access.addPasskey': addPasskey,
  'access.usePasskey': usePasskey,
  'access.removePasskey': removePasskey,
  'access.resetFactors': resetFactors,
  'access.registerClient': registerClient,
  'access.grant': grant,
  'access.redeemCode': redeemCode,
  'access.refresh': refresh,
  'access.revokeToken': revokeToken,
  'access.removeGrant': removeGrant,
  'access.noteGrant': noteGrant,
  /** Forget what is over, at most `limit` rows of a kind; true: call again. */
  'access.sweep': async (tx: WriteTx, { limit }: { limit: number }): Promise<boolean> => {
    const sessions = await sweepSessions(tx, limit);
    return (await sweepOauth(tx, limit)) || sessions;
  },
} as const;
