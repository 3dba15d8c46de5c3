import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCsv } from './import-people.ts';

test('a list of people: passwords with commas and quotes, comments, line ends of any system', () => {
  const text =
    '\uFEFFaddress,user,password\r\n# moved already: a@x.test\r\n\r\nb@x.test,bob,"a, ""b"" c"\nc@x.test,,plain \nd@x.test\n';
  assert.deepEqual(parseCsv(text), [
    ['address', 'user', 'password'],
    ['b@x.test', 'bob', 'a, "b" c'],
    ['c@x.test', '', 'plain'],
    ['d@x.test'],
  ]);
});
