import type { NewBlob } from '../mailstore/types.ts';

/** Octets from which a body is handed over: smaller ones share their memory with others, and copying them is cheap. */
const GIVEN_FROM_BYTES = 32 * 1024;

/**
 * The memory of a body that is stored by one write and not looked at again, for `Writer.run` to hand over to the store
 * thread instead of copying it. Empty when it is not the body's alone.
 */
export function givenAway({ data }: NewBlob): ArrayBuffer[] {
  if (data === undefined || data.length < GIVEN_FROM_BYTES) return [];
  const { buffer } = data;
  return buffer instanceof ArrayBuffer && buffer.byteLength === data.length ? [buffer] : [];
}
