/** What a site does about attachments, whatever the rest of the message is like. */
import type { MessageFacts } from '../facts/types.ts';
import { type AttachmentCategory, categoriesOf, runnableIn } from './categories.ts';

export interface AttachmentPolicy {
  /** The message is refused at the end of DATA. */
  readonly refuse: readonly AttachmentCategory[];
  /** The message goes to Junk. */
  readonly junk: readonly AttachmentCategory[];
}

/** Nothing is refused: a false refusal costs more than a Junk folder. */
export const defaultAttachmentPolicy: AttachmentPolicy = {
  refuse: [],
  junk: ['executable', 'executable-in-archive'],
};

export interface AttachmentFinding {
  readonly category: AttachmentCategory;
  readonly action: 'refuse' | 'junk' | 'note';
  /** Name of the attachment; empty where it has none. */
  readonly name: string;
  /** One plain line. */
  readonly reason: string;
}

export interface AttachmentVerdict {
  readonly action: 'refuse' | 'junk' | 'accept';
  /** Gravest first. */
  readonly findings: readonly AttachmentFinding[];
}

const WORDS: Record<AttachmentCategory, string> = {
  executable: 'is a program',
  script: 'is a script',
  'macro-document': 'is a document with macros',
  'encrypted-archive': 'is an archive with a password, so nobody can look into it',
  'executable-in-archive': 'is an archive with a program in it',
  'disk-image': 'is the image of a disk',
  shortcut: 'is a shortcut that starts something',
};

const GRAVITY = { refuse: 0, junk: 1, note: 2 } as const;

/** Applies a policy to the attachments of a message. Pure. */
export function judgeAttachments(
  facts: Pick<MessageFacts, 'attachments'>,
  policy: AttachmentPolicy = defaultAttachmentPolicy,
): AttachmentVerdict {
  const findings: AttachmentFinding[] = [];
  for (const attachment of facts.attachments) {
    for (const category of categoriesOf(attachment)) {
      const action = policy.refuse.includes(category)
        ? 'refuse'
        : policy.junk.includes(category)
          ? 'junk'
          : 'note';
      const inner = category === 'executable-in-archive' ? runnableIn(attachment)?.name : undefined;
      const name = attachment.name === '' ? 'An attachment' : `"${attachment.name.slice(0, 120)}"`;
      const reason = `${name} ${WORDS[category]}${inner === undefined ? '' : `: "${inner.slice(0, 120)}"`}`;
      findings.push({ category, action, name: attachment.name, reason });
    }
  }
  findings.sort((a, b) => GRAVITY[a.action] - GRAVITY[b.action]);
  const gravest = findings[0]?.action ?? 'note';
  return { action: gravest === 'note' ? 'accept' : gravest, findings };
}
