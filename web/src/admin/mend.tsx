import type { Said } from '../text/said.ts';
import { Sentences } from '../text/sentence.tsx';
import { Copyable } from './copyable.tsx';

/** What mends something: sentences, or a command or record to be copied, with what is said about it. */
export interface Remedy {
  readonly command?: string;
  readonly said?: readonly Said[];
}

export function Mend({ remedy: { command, said } }: { readonly remedy: Remedy }) {
  return (
    <>
      {command !== undefined && <Copyable text={command} />}
      {said !== undefined && (
        <div class={command === undefined ? undefined : 'soft small'}>
          <Sentences said={said} />
        </div>
      )}
    </>
  );
}
