/**
 * The media type of a picture by its first octets; undefined for what is none of those that browsers only paint. SVG is
 * a document that can do things, and so is left out.
 */
export function imageType(octets: Buffer): string | undefined {
  const begins = (text: string, at = 0): boolean => octets.toString('latin1', at, at + text.length) === text;
  if (begins('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (begins('\xff\xd8\xff')) return 'image/jpeg';
  if (begins('GIF87a') || begins('GIF89a')) return 'image/gif';
  if (begins('RIFF') && begins('WEBP', 8)) return 'image/webp';
  if (begins('ftyp', 4) && (begins('avif', 8) || begins('avis', 8))) return 'image/avif';
  // BITMAPFILEHEADER: two reserved words of zero, and an offset that stays within the file.
  if (
    begins('BM') &&
    octets.length > 26 &&
    octets.readUInt32LE(6) === 0 &&
    octets.readUInt32LE(10) < octets.length
  )
    return 'image/bmp';
  if (begins('\0\0\x01\0') && octets.length > 22 && octets.readUInt16LE(4) > 0) return 'image/x-icon';
  return undefined;
}
