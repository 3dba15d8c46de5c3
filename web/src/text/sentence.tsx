import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { language } from '../base/i18n.ts';
import { loadSentences, type Said, type SaidArea, spoken } from './said.ts';

/** Have these sentences at hand; false until they are. Without them in reach they are shown in English. */
export function useSentences(...areas: readonly SaidArea[]): boolean {
  const wanted = language.value;
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void loadSentences(...areas)
      .catch(() => undefined)
      .then(() => setReady(true));
  }, [wanted]);
  return ready;
}

/** A sentence of the server, in the language of the reader. */
export function Sentence({ said }: { readonly said: Said }) {
  const { text, lang } = spoken(said);
  return (
    <span {...(lang !== undefined && { lang })} dir="auto">
      {text}
    </span>
  );
}

/** Sentences of the server, one after the other. */
export function Sentences({ said }: { readonly said: readonly Said[] }) {
  return (
    <>
      {said.map((each, index) => (
        <Fragment key={each.text}>
          {index > 0 && ' '}
          <Sentence said={each} />
        </Fragment>
      ))}
    </>
  );
}

/** Sentences, and between them commands to copy on lines of their own. */
export function Advice({ said }: { readonly said: readonly Said[] }) {
  return (
    <>
      {said.map((each) => {
        const { text, lang } = spoken(each);
        return text.split('\n').map((line) =>
          line.startsWith('postern ') ? (
            <code key={line} class="admin-command" dir="ltr">
              {line}
            </code>
          ) : (
            <span key={line} {...(lang !== undefined && { lang })}>
              {line}{' '}
            </span>
          ),
        );
      })}
    </>
  );
}
