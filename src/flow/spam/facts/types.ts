/**
 * What is known of a message before anybody judges it. Plain data, bounded, made once by `extractFacts` and read by the
 * rules, the attachment policy and the classifier. Text is Unicode unless it says "raw" (latin1, an octet a character).
 */

import type { AttachmentFact } from './file-types.ts';

export type { ArchiveEntry, ArchiveFact, AttachmentFact, FileKind } from './file-types.ts';

/** A field of the top header, in the order of the message. At most `factLimits.fields` of them. */
export interface FieldFact {
  /** Lower case; empty for a line that is no field. */
  readonly name: string;
  /** Unfolded, encoded words decoded, at most 2,048 characters. */
  readonly value: string;
  /** Unfolded latin1, at most 2,048 characters. */
  readonly raw: string;
}

export interface AddressFact {
  /** Display name, decoded; empty where there is none. */
  readonly name: string;
  /** "local@domain", the domain in lower case; may lack the "@" when the field had none. Empty when only a name was given. */
  readonly address: string;
  readonly local: string;
  /** Lower case; empty where there is none. */
  readonly domain: string;
  /** Registrable domain ("example.co.uk"), or the domain itself where no public suffix is known. */
  readonly site: string;
  /** The entry breaks the grammar of RFC 5322. */
  readonly broken: boolean;
}

/** One Received field, newest first in `MessageFacts.received`. Undefined where it could not be made out. */
export interface ReceivedFact {
  /** Name the client gave in HELO, lower case. */
  readonly helo: string | undefined;
  /** Name that the receiver found for the address, lower case. */
  readonly rdns: string | undefined;
  readonly ip: string | undefined;
  readonly by: string | undefined;
  /** "esmtps", "http", ... lower case. */
  readonly protocol: string | undefined;
  /** Milliseconds since the epoch. */
  readonly date: number | undefined;
}

/** A leaf of the MIME tree. At most `factLimits.parts` of them. */
export interface PartFact {
  /** IMAP section number: "1", "2.1". */
  readonly path: string;
  /** "text/html", lower case. */
  readonly type: string;
  /** As named by the sender, lower case; empty where there is none. */
  readonly charset: string;
  readonly knownCharset: boolean;
  /** Content-Transfer-Encoding, lower case. */
  readonly encoding: string;
  readonly knownEncoding: boolean;
  /** "inline", "attachment", ... or empty. */
  readonly disposition: string;
  /** Decoded file name of Content-Disposition or Content-Type, at most 1,024 characters; empty where there is none. */
  readonly filename: string;
  /** Octets as sent, still encoded. */
  readonly size: number;
  /** Content-ID without brackets; empty where there is none. */
  readonly id: string;
  /** Stands inside a message/rfc822. */
  readonly nested: boolean;
  /** Shown to the reader as text: text/plain or text/html that is no attachment. */
  readonly isText: boolean;
  /** Octets that are no base64 in what was sampled of a base64 body. */
  readonly brokenBase64: boolean;
  /** Base64 for a text that is plain ASCII: nobody needs that. */
  readonly needlessBase64: boolean;
}

/** What the MIME tree looks like. */
export interface MimeFacts {
  /** Leaves, also those beyond the limit. */
  readonly leaves: number;
  readonly depth: number;
  /** Subtypes of the multiparts, outermost first: "mixed", "alternative". */
  readonly multiparts: readonly string[];
  readonly nestedMessages: number;
  /** A multipart names no boundary, or none of its parts was found. */
  readonly brokenMultipart: boolean;
  /** A multipart lacks its close delimiter. */
  readonly missingEnd: boolean;
  /** A limit of the scanner was hit: too deep, too many parts. */
  readonly opaque: boolean;
  readonly hasVersion: boolean;
  readonly eightBitHeader: boolean;
  readonly hasNul: boolean;
  readonly hasBareCr: boolean;
  readonly hasBareLf: boolean;
  /** Octets. */
  readonly longestLine: number;
}

export type LinkSource = 'href' | 'text' | 'image' | 'form' | 'other';

/** An address of the Web in the text. At most `factLimits.urls` of them, each (with its source) once. */
export interface UrlFact {
  /** At most 512 characters. */
  readonly url: string;
  /** Lower case: "http", "https", "ftp", "javascript", "data", "file". */
  readonly scheme: string;
  /** Lower case, U-labels as sent; empty for "data:" and the like. */
  readonly host: string;
  /** Host in A-labels, where it has other letters; else the host. */
  readonly asciiHost: string;
  /** Registrable domain, or the host where no public suffix is known; an address literal as it is. */
  readonly site: string;
  /** undefined where none is given. */
  readonly port: number | undefined;
  /** Characters of path, query and fragment. */
  readonly pathLength: number;
  /** "user@" stands before the host. */
  readonly userinfo: boolean;
  /** The host is an address, in dotted, decimal, octal, hexadecimal or IPv6 form. */
  readonly ipHost: boolean;
  /** An address in a form nobody types: decimal, octal, hexadecimal. */
  readonly oddIp: boolean;
  readonly punycode: boolean;
  readonly shortener: boolean;
  /** Labels of the host. */
  readonly labels: number;
  /** Letters encoded as "%xx" that need no encoding, or in the host. */
  readonly needlessEscapes: boolean;
  /** Extension of the last path segment, lower case without dot; empty where there is none. */
  readonly extension: string;
  /** Site that the text of the link names, when that is another than the link's. */
  readonly shownSite: string | undefined;
  readonly source: LinkSource;
}

export interface HtmlFacts {
  /** Start tags, all together and by name (first 60 names). */
  readonly tagCount: number;
  readonly tags: Readonly<Record<string, number>>;
  /** Names that HTML does not know, a sign of noise: "<kx3f9>". */
  readonly unknownTags: number;
  /** Characters that a reader sees, white space folded. */
  readonly visibleChars: number;
  /** Characters that a reader does not see, by the reason. */
  readonly hiddenChars: number;
  readonly hiddenBy: {
    readonly display: number;
    readonly size: number;
    readonly colour: number;
    readonly offscreen: number;
  };
  /** Start of the hidden text, at most 2,048 characters. */
  readonly hiddenText: string;
  readonly images: number;
  readonly remoteImages: number;
  /** Images of 1 or 2 pixels that are fetched from elsewhere. */
  readonly trackingPixels: number;
  readonly dataImages: number;
  readonly cidImages: number;
  /** An image is most of what there is to see. */
  readonly linkedImages: number;
  readonly links: number;
  readonly forms: number;
  readonly passwordInputs: number;
  readonly inputs: number;
  /** Host of the first form's action; empty where there is none. */
  readonly formHost: string;
  readonly scripts: number;
  readonly eventHandlers: number;
  readonly iframes: number;
  readonly objects: number;
  readonly metaRefresh: boolean;
  readonly baseHref: boolean;
  readonly svg: number;
  readonly comments: number;
  readonly commentChars: number;
  /** Comments or empty tags in the middle of a word. */
  readonly splitWords: number;
  /** Numeric character references for plain ASCII letters and digits. */
  readonly needlessEntities: number;
  /** Characters that JavaScript's unescape, fromCharCode or atob would make text of: a page that writes itself. */
  readonly selfWriting: boolean;
  readonly title: string;
  /** The text ended within a tag, a comment or a script. */
  readonly unterminated: boolean;
  /** Tag nesting, at most 255. */
  readonly depth: number;
}

/** Writing systems that are told apart. */
export type Script =
  | 'latin'
  | 'cyrillic'
  | 'greek'
  | 'han'
  | 'kana'
  | 'hangul'
  | 'arabic'
  | 'hebrew'
  | 'thai'
  | 'indic'
  | 'armenian'
  | 'other';

/** Counted over one text. */
export interface UnicodeFacts {
  /** Letters of any script. */
  readonly letters: number;
  /** Share of letters by script, 0 to 1; absent scripts are left out. */
  readonly scripts: Readonly<Partial<Record<Script, number>>>;
  /** Words with letters of Latin and Cyrillic, Greek or Armenian. */
  readonly mixedWords: number;
  /** Such words that read as plain Latin when look-alikes are exchanged. */
  readonly confusableWords: number;
  /** Zero-width characters within words of Latin, Cyrillic or Greek letters, where they mean nothing. */
  readonly zeroWidth: number;
  /** Bidirectional overrides and isolates. */
  readonly bidi: number;
  readonly fullwidth: number;
  /** Mathematical, enclosed and other letter-like signs used as letters. */
  readonly mathematical: number;
  /** Combining marks beyond two in a row. */
  readonly stacked: number;
  readonly emoji: number;
  /** U+FFFD: octets that are not of the named character set. */
  readonly replacement: number;
  /** C0 controls besides tab and line ends, and C1. */
  readonly controls: number;
  readonly upper: number;
  readonly digits: number;
}

export interface LanguageFacts {
  /** ISO 639-1 by common words of the visible text; undefined where too little is there. */
  readonly guess: string | undefined;
  /** Share of words that are common words of that language, 0 to 1. */
  readonly share: number;
  /** Words that were counted. */
  readonly words: number;
}

export interface MessageFacts {
  /** Octets of the whole message. */
  readonly size: number;
  /** The sample holds less than the whole text. */
  readonly truncated: boolean;
  readonly fields: readonly FieldFact[];
  /** Fields of the header, also those beyond the limit. */
  readonly fieldCount: number;
  /** How often each field name occurs (first 100 names). */
  readonly fieldCounts: ReadonlyMap<string, number>;
  readonly from: readonly AddressFact[];
  readonly sender: readonly AddressFact[];
  readonly replyTo: readonly AddressFact[];
  /** First 100 of each. */
  readonly to: readonly AddressFact[];
  readonly cc: readonly AddressFact[];
  /** Decoded, at most 1,024 characters; empty where there is none. */
  readonly subject: string;
  readonly subjectRaw: string;
  /** Milliseconds since the epoch and minutes east of UTC; undefined where absent or unreadable. */
  readonly date: { readonly ms: number; readonly zone: number } | undefined;
  /** Without angle brackets; empty where absent. */
  readonly messageId: string;
  /** Has In-Reply-To or References. */
  readonly isReply: boolean;
  /** List-Id, List-Unsubscribe, List-Post or Precedence: bulk or list. */
  readonly isBulk: boolean;
  /** Auto-Submitted other than "no", or a null sender's look: reports, vacation notes. */
  readonly isAutomatic: boolean;
  /** Newest first, first 30. */
  readonly received: readonly ReceivedFact[];
  readonly receivedCount: number;
  readonly parts: readonly PartFact[];
  readonly mime: MimeFacts;
  /** What a reader reads, at most 65,536 characters: of alternatives the HTML, without what is hidden. */
  readonly text: string;
  /** The text/plain parts and the visible text of the text/html parts, each at most 65,536 characters. */
  readonly plain: string;
  readonly htmlText: string;
  /** undefined where no part is HTML. Several parts are counted together. */
  readonly html: HtmlFacts | undefined;
  readonly urls: readonly UrlFact[];
  /** Mail addresses in the text, lower case, first 50, each once. */
  readonly addresses: readonly string[];
  readonly unicode: {
    readonly subject: UnicodeFacts;
    readonly name: UnicodeFacts;
    readonly text: UnicodeFacts;
  };
  readonly language: LanguageFacts;
  readonly attachments: readonly AttachmentFact[];
}
