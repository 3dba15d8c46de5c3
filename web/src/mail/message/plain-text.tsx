import type { ComponentChildren } from 'preact';
import { texts } from '../../base/i18n.ts';
import { openComposer } from '../compose.ts';
import { findLinks } from './links.ts';
import { type Block, splitQuote, textBlocks } from './plain.ts';

/** Plain text as text: nothing of it is ever markup. */
export function PlainText({
  text,
  flowed,
  delSp,
}: {
  readonly text: string;
  readonly flowed: boolean;
  readonly delSp: boolean;
}) {
  const t = texts('mail');
  const { body, quote } = splitQuote(textBlocks(text, flowed, delSp));
  return (
    <div class="mail-text" dir="auto">
      <Blocks blocks={body} depth={0} />
      {quote.length > 0 && (
        <details class="mail-quote">
          <summary aria-label={t('showQuote')} title={t('showQuote')}>
            •••
          </summary>
          <Blocks blocks={quote} depth={0} />
        </details>
      )}
    </div>
  );
}

function Blocks({ blocks, depth }: { readonly blocks: readonly Block[]; readonly depth: number }) {
  const made: ComponentChildren[] = [];
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    if (block === undefined) continue;
    if (block.depth <= depth) {
      made.push(<Lines key={i} text={block.text} />);
      continue;
    }
    let end = i;
    while (end < blocks.length && (blocks[end]?.depth ?? 0) > depth) end++;
    made.push(
      <blockquote key={i}>
        <Blocks blocks={blocks.slice(i, end)} depth={depth + 1} />
      </blockquote>,
    );
    i = end - 1;
  }
  return <>{made}</>;
}

/** Text with its links. */
export function Lines({ text }: { readonly text: string }) {
  return (
    <div class="mail-lines">
      {findLinks(text).map((part, i) =>
        typeof part === 'string' ? (
          part
        ) : (
          <a
            key={i}
            href={part.url.href}
            target="_blank"
            rel="noopener noreferrer"
            onClick={(event) => {
              if (part.url.protocol !== 'mailto:') return;
              event.preventDefault();
              openComposer({ kind: 'mailto', url: part.url.href });
            }}
          >
            {part.text}
          </a>
        ),
      )}
    </div>
  );
}
