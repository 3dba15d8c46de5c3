/** Files that come along. Names in the explanation are shortened. */
import {
  type AttachmentCategory,
  categoriesOf,
  isNestedArchive,
  runnableIn,
} from '../attachments/categories.ts';
import type { AttachmentFact, MessageFacts } from '../facts/types.ts';
import { recipientsOf } from './common.ts';
import { phraseIn, phrases } from './phrases.ts';
import type { Rule } from './types.ts';

/** The name of the first attachment that `test` accepts. */
function first(facts: MessageFacts, test: (file: AttachmentFact) => boolean): string | boolean {
  const file = facts.attachments.find(test);
  if (file === undefined) return false;
  return file.name === '' ? true : file.name.slice(0, 80);
}

const of =
  (category: AttachmentCategory) =>
  (facts: MessageFacts): string | boolean =>
    first(facts, (file) => categoriesOf(file).includes(category));

const LEVER = 'Share such files some other way, for example as a link';

export const attachmentRules: readonly Rule[] = [
  {
    name: 'EXECUTABLE_ATTACHMENT',
    score: 4,
    explain: 'A program is attached',
    lever: LEVER,
    test: of('executable'),
  },
  {
    name: 'EXECUTABLE_IN_ARCHIVE',
    score: 4,
    explain: 'A program is packed into an attached archive',
    lever: LEVER,
    test: (facts) => {
      const inner = facts.attachments.map(runnableIn).find((entry) => entry !== undefined);
      return inner !== undefined && inner.name.slice(-80);
    },
  },
  {
    name: 'SCRIPT_ATTACHMENT',
    score: 3.5,
    explain: 'A script is attached',
    lever: LEVER,
    test: of('script'),
  },
  {
    name: 'SHORTCUT_ATTACHMENT',
    score: 4,
    explain: 'A shortcut that starts something is attached',
    lever: LEVER,
    test: (facts) =>
      first(facts, (file) => categoriesOf(file).includes('shortcut') && file.extension !== 'url'),
  },
  {
    name: 'WEB_SHORTCUT_ATTACHMENT',
    score: 1,
    explain: 'A shortcut to a place on the Web is attached instead of a link',
    test: (facts) => first(facts, ({ extension }) => extension === 'url'),
  },
  {
    name: 'DISK_IMAGE_ATTACHMENT',
    score: 2.5,
    explain: 'The image of a disk is attached, which is how programs are smuggled',
    lever: LEVER,
    test: of('disk-image'),
  },
  {
    name: 'MACRO_DOC',
    score: 1.5,
    explain: 'A document with macros is attached, which can run programs',
    lever: 'Send the document without macros, or as a PDF',
    test: of('macro-document'),
  },
  {
    name: 'MACRO_SHEET_OLD',
    score: 2,
    explain: 'A table has macros of a kind that only malware still uses',
    test: (facts) => first(facts, ({ macros }) => macros === 'xlm'),
  },
  {
    name: 'ENCRYPTED_ARCHIVE',
    score: 1.2,
    explain: 'An archive with a password is attached, so nobody can look into it',
    lever: 'Send the archive without a password',
    test: of('encrypted-archive'),
  },
  {
    name: 'ENCRYPTED_ARCHIVE_WITH_KEY',
    score: 2,
    explain: 'An archive has a password, and the same mail gives it: a lock only against filters',
    lever: 'Send the archive without a password, or the password another way',
    test: (facts) =>
      facts.attachments.some(({ encrypted }) => encrypted) && phraseIn(facts, KEYS) !== undefined,
  },
  {
    name: 'ARCHIVE_BOMB',
    score: 3,
    explain: 'An archive is made to fill up the disk of whoever opens it',
    test: (facts) => first(facts, ({ archive }) => archive?.bomb === true),
  },
  {
    name: 'ARCHIVE_IN_ARCHIVE',
    score: 0.7,
    explain: 'An archive is packed into an archive',
    test: (facts) => first(facts, isNestedArchive),
  },
  {
    name: 'ARCHIVE_RARE',
    score: 1.5,
    explain: 'The archive is of a kind that hardly anybody uses, which filters cannot open',
    test: (facts) =>
      first(
        facts,
        ({ kind, extension }) =>
          kind === 'ace' ||
          kind === 'arj' ||
          kind === 'lzh' ||
          kind === 'cab' ||
          (kind === 'rar' && extension !== 'rar' && !/^r\d\d$/.test(extension)),
      ),
  },
  {
    name: 'ARCHIVE_ONE_SCRIPTABLE_PAGE',
    score: 2,
    explain: 'An archive holds one page of the Web and nothing else',
    test: (facts) =>
      first(
        facts,
        ({ archive }) =>
          archive !== undefined &&
          archive.entries.length === 1 &&
          /\.(?:x?html?|shtml|svg|mht)$/i.test(archive.entries[0]?.name ?? ''),
      ),
  },
  {
    name: 'DOUBLE_EXTENSION',
    score: 3,
    explain: 'The name of a file pretends another kind of file than it is',
    lever: 'Give the file one ending that says what it is',
    test: (facts) => first(facts, ({ doubleExtension }) => doubleExtension),
  },
  {
    name: 'FILE_NAME_TURNED_AROUND',
    score: 3.5,
    explain: 'Marks turn the name of a file around, so that its kind is hidden',
    test: (facts) => first(facts, ({ bidiName, name }) => bidiName && !/[\u0590-\u08ff]/.test(name)),
  },
  {
    name: 'FILE_NAME_ODD',
    score: 0.8,
    explain: 'The name of a file is none that a mail program writes',
    test: (facts) => first(facts, ({ oddName }) => oddName),
  },
  {
    name: 'FILE_DISGUISED',
    score: 3,
    explain: 'A file is something else than it says',
    test: (facts) => first(facts, ({ disguised }) => disguised),
  },
  {
    name: 'PAGE_ATTACHED',
    score: 0.8,
    explain: 'A page of the Web is attached instead of being linked',
    test: (facts) => !facts.isReply && !facts.isAutomatic && first(facts, isPage),
  },
  {
    name: 'PAGE_ATTACHED_ACTIVE',
    score: 2,
    explain: 'An attached page runs a program or asks for a password',
    test: (facts) => first(facts, (file) => isPage(file) && file.activeContent),
  },
  {
    name: 'DRAWING_ACTIVE',
    score: 2.5,
    explain: 'An attached drawing runs a program',
    test: (facts) => first(facts, ({ kind, activeContent }) => kind === 'svg' && activeContent),
  },
  {
    name: 'NOTEBOOK_ATTACHED',
    score: 1.5,
    explain: 'A OneNote notebook is attached, which can carry programs',
    test: (facts) => first(facts, ({ kind, extension }) => kind === 'onenote' || extension === 'one'),
  },
  {
    name: 'DOCUMENT_LOADS_MORE',
    score: 2.5,
    explain: 'A document fetches a part of itself from a stranger’s server when opened',
    test: (facts) => first(facts, ({ remoteTemplate }) => remoteTemplate),
  },
  {
    name: 'RTF_WITH_OBJECT',
    score: 1.5,
    explain: 'A document carries an object that can start a program',
    test: (facts) => first(facts, ({ kind, activeContent }) => kind === 'rtf' && activeContent),
  },
  {
    name: 'PDF_ACTIVE',
    score: 0.6,
    explain: 'A PDF carries a program or another file',
    test: (facts) => first(facts, ({ kind, activeContent }) => kind === 'pdf' && activeContent),
  },
  {
    name: 'FILE_NAMED_LIKE_YOU',
    score: 1.2,
    explain: 'A page or archive is named after your address, as programs do that make one for each victim',
    test: (facts, evidence) => {
      const names = recipientsOf(facts, evidence)
        .flatMap((address) => [address, address.split('@')[0] ?? ''])
        .filter((name) => name.length > 4);
      return first(
        facts,
        (file) =>
          (isPage(file) || file.archive !== undefined) &&
          names.some((name) => file.name.toLowerCase().includes(name)),
      );
    },
  },
];

function isPage({ kind, extension, claimedType }: AttachmentFact): boolean {
  return (
    (kind === 'html' || claimedType === 'text/html' || /^(?:x?html?|shtml?|mht|mhtml)$/.test(extension)) &&
    !/^(?:eml|txt)$/.test(extension)
  );
}

const KEYS = phrases(
  `
    password:|password is|password -|pass:|pwd:|passwort:|passwort lautet|kennwort:|mot de passe :|
    contraseña:|archive password|access code:|zip code:`,
);
