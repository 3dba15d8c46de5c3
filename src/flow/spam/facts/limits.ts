/** What the extraction of facts does not go beyond. Octets unless another unit is named. */
const KiB = 1024;

export const factLimits = {
  /** A whole sample. */
  sampleBytes: 512 * KiB,
  sampleHeader: 96 * KiB,
  /** Characters of the serialised structure; a larger one is cut to its first parts. */
  sampleStructure: 96 * KiB,
  /** Encoded octets of one text part, and of all of them. */
  textPart: 64 * KiB,
  allText: 128 * KiB,
  /** Start and end of an archive or document; the start of any other file. */
  fileHead: 96 * KiB,
  fileTail: 64 * KiB,
  plainFileHead: 4 * KiB,
  /** Files that are looked into. */
  files: 40,
  /** Leaves that are listed. */
  parts: 200,
  fields: 200,
  /** Characters of a field's value, of a subject, of a file name. */
  fieldChars: 2048,
  subjectChars: 1024,
  filenameChars: 1024,
  addresses: 100,
  received: 30,
  /** Characters of text that are kept and looked at. */
  textChars: 64 * KiB,
  urls: 200,
  urlChars: 512,
  textAddresses: 50,
  archiveEntries: 200,
  /** Files that are unpacked in part to look for names, and octets that are unpacked of each. */
  unpackFiles: 4,
  unpackBytes: 1024 * KiB,
} as const;
