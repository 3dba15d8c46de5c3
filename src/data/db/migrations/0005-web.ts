import type { TypeNames } from '../sql.ts';
import { account } from './0005-account.ts';
import { admin } from './0005-admin.ts';
import { access } from './0005-access.ts';
import { jmapLater } from './0005-jmap.ts';
import { push } from './0005-push.ts';

/** What people do by the web: signing in, tokens, push, snoozing, masked addresses, administration. */
export function web(t: TypeNames): string[] {
  return [...account(t), ...admin(t), ...access(t), ...jmapLater(t), ...push(t)];
}
