/** What the benchmark asks of a spam filter: to learn, and to order messages by how spammy they look. */
import type { Label, Sample } from '../corpus.ts';

export interface Filter {
  readonly name: string;
  /** Asked only where each message is learned and judged once at most; else it would take hours. */
  readonly slow: boolean;
  /** Undefined when it can run here, else why not. */
  missing(): string | undefined;
  /** A filter that knows nothing yet. */
  begin(dir: string): Promise<Session> | Session;
}

export interface Session {
  learn(samples: readonly Sample[]): Promise<void> | void;
  /** One score each, higher is spammier. `verdicts`: whether its default setting would call it spam. */
  judge(samples: readonly Sample[]): Promise<readonly Verdict[]> | readonly Verdict[];
  end(): Promise<void> | void;
}

export interface Verdict {
  readonly score: number;
  /** What the filter's own default threshold says. */
  readonly junk: boolean;
}

export function byLabel(samples: readonly Sample[]): Record<Label, Sample[]> {
  return {
    ham: samples.filter((one) => one.label === 'ham'),
    spam: samples.filter((one) => one.label === 'spam'),
  };
}
