export type Scope = 'mail' | 'send' | 'settings' | 'admin';

/** Answer of GET /account/v1/security. */
export interface Security {
  readonly passwordChangedAt: number;
  readonly totp: { readonly enabled: boolean; readonly since?: number };
  readonly recoveryCodesLeft: number;
  readonly passkeys: readonly {
    readonly id: Id;
    readonly name: string;
    readonly createdAt: number;
    readonly lastUsedAt?: number | null;
  }[];
  readonly appPasswords: readonly {
    readonly id: Id;
    readonly name: string;
    readonly scopes: readonly Scope[];
    readonly createdAt: number;
    readonly expiresAt?: number | null;
    readonly lastUsedAt?: number | null;
    readonly lastFrom?: string | null;
  }[];
  readonly sessions: readonly {
    readonly id: Id;
    readonly current: boolean;
    readonly userAgent: string;
    readonly address: string;
    readonly createdAt: number;
    readonly lastUsedAt: number;
  }[];
  readonly grants: readonly {
    readonly id: Id;
    readonly client: string;
    readonly scopes: readonly Scope[];
    readonly createdAt: number;
    readonly lastUsedAt?: number | null;
  }[];
}

export type Id = number | string;
export const PATH = '/account/v1/security';
