import { ApiError } from '../base/http.ts';
import { call, loadSession, ownAccountId } from '../jmap/client.ts';
import type { MethodName } from '../jmap/types.ts';

interface SetError {
  readonly type: string;
  readonly description?: string | null;
  readonly properties?: readonly string[] | null;
}

interface SetAnswer {
  readonly created?: Readonly<Record<string, { readonly id?: string } | null>> | null;
  readonly notCreated?: Readonly<Record<string, SetError>> | null;
  readonly notUpdated?: Readonly<Record<string, SetError>> | null;
  readonly notDestroyed?: Readonly<Record<string, SetError>> | null;
}

/** A change of a single object (RFC 8620 section 5.3); what the server refuses is thrown as `ApiError` with the property at fault. */
export async function setOne(name: MethodName, args: object): Promise<SetAnswer> {
  await loadSession();
  const answer = (await call(name, { accountId: ownAccountId(), ...args })) as unknown as SetAnswer;
  for (const refused of [answer.notCreated, answer.notUpdated, answer.notDestroyed]) {
    const error = Object.values(refused ?? {})[0];
    if (error !== undefined)
      throw new ApiError(400, 'bad-input', error.description ?? error.type, error.properties?.[0]);
  }
  return answer;
}
