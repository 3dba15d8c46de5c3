import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parsePlace, placeName, placesOf } from './place.ts';
import { SegmentFailure, SegmentWriter } from './segments.ts';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-segments-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'segments');
}

function octets(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i * 7) & 0xff);
}

/** Append, flush and commit as one group. */
function group(writer: SegmentWriter, ...bodies: readonly Uint8Array[]): string[] {
  const names = bodies.map((body) => writer.append(body));
  writer.flush();
  writer.committed();
  return names;
}

function segmentOf(name: string | undefined): string {
  return parsePlace(name ?? '')?.segment ?? '';
}

function sizes(directory: string): number[] {
  return readdirSync(directory).map((name) => statSync(join(directory, name)).size);
}

test('names of places say where, sort by offset, and lie between the bounds of their segment', () => {
  const segment = '0123456789abcdefghjkmnpqrs';
  const near = placeName({ segment, offset: 9 });
  const far = placeName({ segment, offset: 67_108_864 });
  assert.deepEqual(parsePlace(far), { segment, offset: 67_108_864 });
  assert.ok(near < far);
  const { from, to } = placesOf(segment);
  assert.ok(from <= near && far < to && !(segment >= from && segment < to));
  for (const name of [segment, `${segment}/1`, `../${segment}/0000000001`, `${segment}/00000000011`, ''])
    assert.equal(parsePlace(name), undefined, name);
});

test('gives back what was appended, octet for octet, over groups', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const bodies = [octets(40_000, 1), octets(0, 2), octets(100_000, 3), octets(1, 4)];
  const first = group(writer, ...bodies.slice(0, 3));
  const second = group(writer, ...bodies.slice(3));
  for (const [i, name] of [...first, ...second].entries()) {
    assert.deepEqual(new Uint8Array(writer.read(name, bodies[i]?.length ?? -1)), bodies[i]);
  }
  assert.deepEqual(sizes(directory), [140_001]);
  writer.abandon();
});

test('more bodies than one system call takes', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const bodies = Array.from({ length: 1100 }, (_, i) => octets(i % 5, i));
  const names = group(writer, ...bodies);
  names.forEach((name, i) => {
    assert.deepEqual(new Uint8Array(writer.read(name, i % 5)), bodies[i]);
  });
  writer.abandon();
});

test('a refused write takes its bodies back, the others of its group stay', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const kept = writer.append(octets(10, 1));
  const mark = writer.mark();
  writer.append(octets(20, 2));
  writer.append(octets(30, 3));
  writer.backTo(mark);
  const after = writer.append(octets(40, 4));
  writer.flush();
  writer.committed();
  assert.deepEqual(new Uint8Array(writer.read(kept, 10)), octets(10, 1));
  assert.deepEqual(new Uint8Array(writer.read(after, 40)), octets(40, 4));
  assert.deepEqual(sizes(directory), [50]);
  writer.abandon();
});

test('a group that is rolled back leaves nothing, before and after its octets were written', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const [kept = ''] = group(writer, octets(10, 1));
  writer.append(octets(20, 2));
  writer.rolledBack();
  writer.append(octets(30, 3));
  writer.flush();
  assert.deepEqual(sizes(directory), [40]);
  writer.rolledBack();
  assert.deepEqual(sizes(directory), [10]);
  const [next = ''] = group(writer, octets(5, 4));
  assert.equal(parsePlace(next)?.offset, 10);
  assert.deepEqual(new Uint8Array(writer.read(kept, 10)), octets(10, 1));
  writer.abandon();
});

test('never appends to a file that another has left, whatever stands at its end', (t) => {
  const directory = directoryFor(t);
  const before = new SegmentWriter(directory);
  const [old = ''] = group(before, octets(1000, 1));
  before.append(octets(500, 2));
  before.flush();
  // It dies here: the tail is whole, and torn in addition.
  appendFileSync(join(directory, segmentOf(old)), 'torn');
  const after = new SegmentWriter(directory);
  const [fresh = ''] = group(after, octets(1000, 3));
  assert.notEqual(segmentOf(fresh), segmentOf(old));
  assert.deepEqual(new Uint8Array(after.read(old, 1000)), octets(1000, 1));
  assert.deepEqual(new Uint8Array(after.read(fresh, 1000)), octets(1000, 3));
  assert.equal(after.isActive(segmentOf(fresh)), true);
  assert.equal(after.isActive(segmentOf(old)), false);
  after.abandon();
});

test('a segment that is large enough is ended, and never grows again', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const chunk = new Uint8Array(16 * 1024 * 1024);
  const [first] = group(writer, chunk, chunk, chunk, chunk);
  const [second] = group(writer, octets(10, 1));
  assert.notEqual(segmentOf(first), segmentOf(second));
  assert.equal(writer.isActive(segmentOf(first)), false);
  writer.abandon();
});

for (const [code, expected] of [
  ['EIO', SegmentFailure],
  ['ENOSPC', Error],
] as const) {
  test(`one whose fsync failed with ${code} is never written to again`, (t) => {
    const directory = directoryFor(t);
    let synced = 0;
    const writer = new SegmentWriter(directory, () => {
      if (++synced === 2) throw Object.assign(new Error(code), { code });
    });
    const [kept = ''] = group(writer, octets(10, 1));
    writer.append(octets(20, 2));
    assert.throws(() => writer.flush(), expected);
    writer.rolledBack();
    assert.deepEqual(sizes(directory), [30], 'what the disk has of it is not known');
    const [next = ''] = group(writer, octets(5, 3));
    assert.notEqual(segmentOf(next), segmentOf(kept));
    assert.equal(writer.isActive(segmentOf(kept)), false);
    assert.deepEqual(new Uint8Array(writer.read(kept, 10)), octets(10, 1));
    writer.abandon();
  });
}

test('one that cannot be made fails the group and is not used', (t) => {
  const directory = directoryFor(t);
  // A file where the directory should be.
  appendFileSync(directory, '');
  const writer = new SegmentWriter(directory);
  const name = writer.append(octets(10, 1));
  assert.throws(() => writer.flush(), SegmentFailure);
  rmSync(directory);
  const [next = ''] = group(writer, octets(10, 2));
  assert.notEqual(segmentOf(next), segmentOf(name));
  assert.deepEqual(new Uint8Array(writer.read(next, 10)), octets(10, 2));
  writer.abandon();
});

test('a body that is not all there is an error, not a short answer', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const [name = ''] = group(writer, octets(100, 1));
  assert.throws(() => writer.read(name, 101), /ends after 100 of 101 octets/);
  assert.throws(() => writer.read('nothing', 1), /does not lie in a segment/);
  writer.abandon();
});

test('its files are for the owner alone', (t) => {
  const directory = directoryFor(t);
  const writer = new SegmentWriter(directory);
  const [name = ''] = group(writer, octets(100, 1));
  const path = join(directory, segmentOf(name));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  writer.abandon();
});
