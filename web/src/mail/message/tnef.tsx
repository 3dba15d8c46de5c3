import { useEffect, useState } from 'preact/hooks';
import { formatSize } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { download } from '../../jmap/client.ts';
import { safeFileName } from './attachment-names.ts';
import type { ExtraProps } from './extras.tsx';
import { isTnef, partsOf } from './load.ts';
import { type TnefFile, tnefFiles } from './tnef.ts';

/** Octets of a package that is fetched without being asked. */
const MOST_OCTETS = 15_000_000;

/** Files that Outlook packed into a winmail.dat, which no other program opens. */
export function Tnef({ email, store }: ExtraProps) {
  const t = texts('mail');
  const [files, setFiles] = useState<readonly TnefFile[] | undefined>(undefined);
  const part = partsOf(email.bodyStructure).find(isTnef);
  useEffect(() => {
    let gone = false;
    if (part === undefined || part.blobId === null || part.size > MOST_OCTETS) return undefined;
    download(store.id, part.blobId).then(
      (octets) => !gone && setFiles(tnefFiles(octets) ?? []),
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [email.id, part?.blobId]);
  return (
    <section class="mail-banner mail-tnef" aria-label="winmail.dat">
      <span>{t(files === undefined || files.length > 0 ? 'tnef' : 'tnefNothing')}</span>
      {files !== undefined && files.length > 0 && (
        <ul>
          {files.map((file, i) => {
            const name = safeFileName(file.name, t('unnamed'));
            return (
              <li key={i}>
                <Icon name="attach" /> <bdi>{name}</bdi>{' '}
                <span class="soft">{formatSize(file.octets.length)}</span>{' '}
                <button type="button" class="mail-link" onClick={() => save(file, name)}>
                  {t('download', { name })}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

/** Saved, never shown: as octets of no kind. */
function save({ octets }: TnefFile, name: string): void {
  const url = URL.createObjectURL(new Blob([octets], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
