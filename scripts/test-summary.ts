/** What a person wants of a test run after the dots: each failure whole, each skip with its reason, the counts. */
import type { TestEvent } from 'node:test/reporters';

export default async function* summary(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped = new Map<string, number>();
  let passed = 0;
  let failed = 0;
  let skips = 0;
  for await (const event of events) {
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
    }
  }
  for (const [reason, count] of skipped) yield `\nskipped (${count}): ${reason}`;
  yield `\n${passed} passed, ${failed} failed, ${skips} skipped\n`;
}
