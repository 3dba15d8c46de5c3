/** Smaller buffers are not worth the call. Sockets and files are read 64 KiB at a time. */
const FROM_BYTES = 16 * 1024;

/**
 * Give back the memory of octets that nobody will look at again, now instead of at the next garbage collection: the view
 * has length 0 from then on, and so has every other view of its memory. V8 counts the memory of buffers like objects that
 * survived; a large message read from a socket would cost a full collection every 12 MB, each of which holds the event
 * loop for some 25 ms in all. Does nothing where the memory is shared with other buffers, or little.
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < FROM_BYTES || buffer.byteLength !== byteLength) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
