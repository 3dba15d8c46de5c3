import type { TypeNames } from '../sql.ts';

/** What people sign in with besides their password. Of tokens only SHA-256 digests (base64url) are kept. */
export function access(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  const account = `account_id ${t.int} NOT NULL REFERENCES accounts(id)`;
  return [
    // scopes, here and below: words separated by spaces. salt, iterations: the same in all rows of an account, as SCRAM
    // tells the client one of each (RFC 5802 section 5.1).
    `CREATE TABLE app_passwords (id ${t.id}, ${account}, name ${t.text} NOT NULL, scopes ${t.text} NOT NULL,
      salt ${t.blob} NOT NULL, iterations ${t.int} NOT NULL, stored_key ${t.blob} NOT NULL, server_key ${t.blob} NOT NULL,
      created_at ${t.int} NOT NULL, expires_at ${t.int}, used_at ${t.int}, used_from ${t.text})${t.table}`,
    'CREATE INDEX app_passwords_account ON app_passwords(account_id)',
    // remember: 1 for one that lives on after the browser. confirmed_at: when a password or second factor was last given.
    `CREATE TABLE web_sessions (id ${t.id}, ${account}, digest ${t.text} NOT NULL UNIQUE, user_agent ${t.text} NOT NULL,
      address ${t.text} NOT NULL, remember ${t.int} NOT NULL, created_at ${t.int} NOT NULL, confirmed_at ${t.int} NOT NULL,
      used_at ${t.int} NOT NULL, expires_at ${t.int} NOT NULL)${t.table}`,
    'CREATE INDEX web_sessions_account ON web_sessions(account_id)',
    'CREATE INDEX web_sessions_expires ON web_sessions(expires_at)',
    // confirmed_at NULL: begun, not in force. last_step: of the last code taken (RFC 6238 section 5.2: each only once).
    `CREATE TABLE totp (account_id ${t.int} PRIMARY KEY REFERENCES accounts(id), secret ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL, confirmed_at ${t.int}, last_step ${t.int} NOT NULL)${clustered}`,
    `CREATE TABLE recovery_codes (${account}, digest ${t.text} NOT NULL, PRIMARY KEY (account_id, digest))${clustered}`,
    // credential_id: base64url. public_key: COSE. counter: signature counter as last seen.
    `CREATE TABLE passkeys (id ${t.id}, ${account}, credential_id ${t.text} NOT NULL UNIQUE, public_key ${t.blob} NOT NULL,
      counter ${t.int} NOT NULL, transports ${t.text} NOT NULL, name ${t.text} NOT NULL, created_at ${t.int} NOT NULL,
      used_at ${t.int})${t.table}`,
    'CREATE INDEX passkeys_account ON passkeys(account_id)',
    // redirect_uris: JSON.
    `CREATE TABLE oauth_clients (id ${t.text} PRIMARY KEY, name ${t.text} NOT NULL, redirect_uris ${t.text} NOT NULL,
      created_at ${t.int} NOT NULL, used_at ${t.int})${clustered}`,
    'CREATE INDEX oauth_clients_created ON oauth_clients(created_at)',
    // What an account has let a client do.
    `CREATE TABLE oauth_grants (id ${t.id}, ${account}, client_id ${t.text} NOT NULL REFERENCES oauth_clients(id),
      scopes ${t.text} NOT NULL, created_at ${t.int} NOT NULL, used_at ${t.int})${t.table}`,
    'CREATE INDEX oauth_grants_account ON oauth_grants(account_id)',
    'CREATE INDEX oauth_grants_client ON oauth_grants(client_id)',
    // kind: code | access | refresh. spent_at: a code or refresh token was used; one that comes again ends the grant.
    // redirect_uri, challenge: of a code (RFC 7636).
    `CREATE TABLE oauth_tokens (digest ${t.text} PRIMARY KEY, grant_id ${t.int} NOT NULL REFERENCES oauth_grants(id),
      kind ${t.text} NOT NULL, scopes ${t.text} NOT NULL, redirect_uri ${t.text}, challenge ${t.text},
      created_at ${t.int} NOT NULL, expires_at ${t.int} NOT NULL, spent_at ${t.int})${clustered}`,
    'CREATE INDEX oauth_tokens_grant ON oauth_tokens(grant_id)',
    'CREATE INDEX oauth_tokens_expires ON oauth_tokens(expires_at)',
  ];
}
