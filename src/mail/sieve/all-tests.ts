/** The functions of all tests by name. */
import { fail, type Run } from './run.ts';
import { DATE_TESTS } from './run-dates.ts';
import { EXTENSION_TESTS } from './run-extension-tests.ts';
import { BASE_TESTS, type Test } from './run-tests.ts';

const ALL: Readonly<Record<string, Test>> = { ...BASE_TESTS, ...DATE_TESTS, ...EXTENSION_TESTS };

export function testNamed(run: Run, name: string): Test {
  return (Object.hasOwn(ALL, name) ? ALL[name] : undefined) ?? fail(run, `there is no test "${name}"`);
}
