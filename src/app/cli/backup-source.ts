import { resolve } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import type { Secret } from '../../data/backup/keys.ts';
import { openPlace } from '../../data/backup/open-place.ts';
import type { Place, PlaceSettings } from '../../data/backup/place.ts';
import { openRepository, type Repository } from '../../data/backup/repository.ts';
import { type BackupSettings, backupSettingsSchema } from '../../data/backup/settings.ts';
import { readSecret } from '../../flow/backup/secret.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import { type Call, type Option, UsageError } from './command.ts';
import { askSecret } from './prompt.ts';

/** Where a backup lies and what opens it, from the options of a command or from the server's settings. */

const VARIABLE = 'POSTERN_BACKUP_PASSPHRASE';

export const SOURCE_OPTIONS: { readonly [name: string]: Option } = {
  'passphrase-file': {
    value: 'FILE',
    help: `file with the passphrase in its first line (else ${VARIABLE}, else asked for)`,
  },
  'key-file': { value: 'FILE', help: 'file of 32 octets or more, instead of a passphrase' },
  region: { value: 'NAME', help: 'region of the bucket' },
  endpoint: { value: 'URL', help: "another store that speaks S3, instead of Amazon's" },
  'credentials-file': { value: 'FILE', help: 'file with "key:secret" (default: the AWS chain)' },
  profile: { value: 'NAME', help: 'profile of the AWS files' },
};

export const FROM_OPTION: Option = {
  value: 'PLACE',
  help: 'a directory or s3://BUCKET/PREFIX (default: the one of "postern backup show")',
};

export interface Source {
  readonly place: PlaceSettings;
  readonly secret: Secret;
}

/** What the options say. `named`: the place; undefined: the server's settings say everything that is not said here. */
export async function sourceOf(
  call: Call,
  named: string | undefined,
  more: { twice?: boolean } = {},
): Promise<Source> {
  const settings = named === undefined ? await serverSettings(call) : undefined;
  const { text, io } = call;
  const path = (option: string): string => {
    const file = text(option);
    return file === undefined ? '' : resolve(io.cwd, file);
  };
  const target = named === undefined ? (settings?.target ?? '') : absolute(named, io.cwd);
  const given = {
    target,
    region: text('region') ?? settings?.region ?? '',
    endpoint: text('endpoint') ?? settings?.endpoint ?? '',
    credentials_file: path('credentials-file') || (settings?.credentials_file ?? ''),
    profile: text('profile') ?? settings?.profile ?? '',
    role_arn: settings?.role_arn ?? '',
  };
  const checked = backupSettingsSchema.safeParse(given);
  if (!checked.success) throw new UsageError(`${target}: ${checked.error.issues[0]?.message ?? 'no place'}`);
  const files = { passphrase_file: path('passphrase-file'), key_file: path('key-file') };
  const own = files.passphrase_file !== '' || files.key_file !== '';
  if (own || (settings !== undefined && hasKey(settings)))
    return { place: given, secret: await readSecret(own ? files : { ...files, ...keyOf(settings) }) };
  return { place: given, secret: { passphrase: await passphrase(call, more.twice === true) } };
}

function hasKey({ passphrase_file: passphraseFile, key_file: keyFile }: BackupSettings): boolean {
  return passphraseFile !== '' || keyFile !== '';
}

function keyOf(settings: BackupSettings | undefined): { passphrase_file: string; key_file: string } {
  return { passphrase_file: settings?.passphrase_file ?? '', key_file: settings?.key_file ?? '' };
}

async function serverSettings({ admin }: Call): Promise<BackupSettings> {
  const { settings } = await admin.call(operations.backup.show, {});
  if (settings.target !== '') return settings;
  throw new UsageError('say which backup: --from PLACE (the server has no place set)');
}

function absolute(place: string, cwd: string): string {
  return place.startsWith('s3://') ? place : resolve(cwd, place);
}

async function passphrase({ io }: Call, twice: boolean): Promise<string> {
  const given = io.env[VARIABLE];
  if (given !== undefined && given !== '') return given;
  if (io.stdin.isTTY !== true)
    throw new UsageError(`backups are encrypted: --passphrase-file FILE, --key-file FILE or ${VARIABLE}`);
  const typed = await askSecret(io, 'Passphrase of the backup: ');
  if (typed === '') throw new UsageError('a passphrase cannot be empty');
  if (twice && (await askSecret(io, 'The same again: ')) !== typed)
    throw new UsageError('the two differ; nothing was done');
  return typed;
}

/** The source as an operation of the server takes it. */
export function forServer({ place, secret }: Source): {
  place: PlaceSettings;
  passphrase?: string;
  key?: string;
} {
  return 'key' in secret
    ? { place, key: secret.key.toString('base64') }
    : { place, passphrase: secret.passphrase };
}

/** Work on a repository in this process. */
export async function withRepository<T>(
  { io }: Pick<Call, 'io'>,
  source: Source,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  let place: Place | undefined;
  try {
    place = await openPlace(source.place, { clock: io.clock });
    return await work(await openRepository(place, source.secret));
  } finally {
    place?.close();
  }
}

/** Nobody answers, so there is no server that could do it. */
export function isNobody(error: unknown): boolean {
  return (
    error instanceof Refusal && error.kind === 'unavailable' && error.message.startsWith('No server answers')
  );
}
