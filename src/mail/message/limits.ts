/** What the MIME scanner does not go beyond. */
import { limits as programLimits } from '../../base/limits.ts';

export interface MimeLimits {
  /** Octets of the top header that are read; a longer one sets `headerTruncated`. */
  readonly headerBytes: number;
  /** Octets of a part's header that are read. */
  readonly partHeaderBytes: number;
  /** Octets of part headers that are read in all; each part gets at least `partHeaderFloor` of them. */
  readonly allPartHeaderBytes: number;
  readonly partHeaderFloor: number;
  /** Parts; the last one takes all that is left of the message and is opaque. */
  readonly mimeParts: number;
  /** Nesting of multiparts and messages that is followed. */
  readonly mimeDepth: number;
  /** Octets of a boundary that count. RFC 2046 5.1.1 allows 70; a line has at most 998 (RFC 5322 2.1.1). */
  readonly boundaryBytes: number;
  /**
   * Parameters of Content-Type and Content-Disposition that are kept of all parts; when they are used up, each field
   * keeps `paramsFloor`. Real parts have one or two.
   */
  readonly params: number;
  readonly paramsFloor: number;
  /** Fields of the top header that are listed. */
  readonly fields: number;
}

export const mimeLimits: MimeLimits = {
  headerBytes: programLimits.headerBytes,
  partHeaderBytes: 64 * 1024,
  allPartHeaderBytes: 1024 * 1024,
  partHeaderFloor: 1024,
  mimeParts: programLimits.mimeParts,
  mimeDepth: programLimits.mimeDepth,
  boundaryBytes: 900,
  params: 4000,
  paramsFloor: 8,
  fields: 2000,
};
