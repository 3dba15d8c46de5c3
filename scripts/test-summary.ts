/** What a person wants of a test run: a dot for each test, each failure whole, each skip with its reason, the counts. */
import { isAbsolute, relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** Dots of a line. */
const WIDTH = 100;
/** Characters that are kept of what a process said. */
const SAID = 4000;
/** Files that are named with how long they took, where that was long. */
const NAMED = { most: 12, seconds: 20 };

export default async function* summary(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped = new Map<string, number>();
  let passed = 0;
  let failed = 0;
  let skips = 0;
  let dots = 0;
  const seconds = new Map<string, number>();
  /** What each process said last on standard error: a file that cannot even be loaded says why there. */
  const said = new Map<string, string>();
  for await (const event of events) {
    // Told at once, while passes and failures wait for those of the files before; a file itself is named by its path.
    if (event.type === 'test:complete' && event.data.details.type !== 'suite' && !isAbsolute(event.data.name))
      yield `${event.data.details.passed ? '.' : 'x'}${++dots % WIDTH === 0 ? '\n' : ''}`;
    if (event.type === 'test:complete' && isAbsolute(event.data.name))
      seconds.set(relative('.', event.data.name), Math.round(event.data.details.duration_ms / 1000));
    if (event.type === 'test:stderr') {
      const { file, message } = event.data;
      said.set(file, `${said.get(file) ?? ''}${message}`.slice(-SAID));
    }
    if (event.type === 'test:pass') {
      if (event.data.skip !== undefined) {
        skips++;
        const reason = typeof event.data.skip === 'string' ? event.data.skip : event.data.name;
        skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
      } else if (event.data.details.type !== 'suite') passed++;
    }
    if (event.type === 'test:diagnostic' && event.data.message.startsWith('report: ')) {
      yield `\n${event.data.message.slice('report: '.length)}`;
    }
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      failed++;
      const error: unknown = event.data.details.error?.cause ?? event.data.details.error;
      yield `\n✖ ${event.data.file ?? ''} > ${event.data.name}\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
      if (isAbsolute(event.data.name)) yield said.get(event.data.name) ?? '';
    }
  }
  for (const [reason, count] of skipped) yield `\nskipped (${count}): ${reason}`;
  const long = [...seconds].filter(([, took]) => took >= NAMED.seconds).toSorted(([, a], [, b]) => b - a);
  if (long.length > 0)
    yield `\ntook longest, beside others: ${long
      .slice(0, NAMED.most)
      .map(([file, took]) => `${file} ${took} s`)
      .join(', ')}`;
  yield `\n${passed} passed, ${failed} failed, ${skips} skipped\n`;
}
