import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import { type ReportLimits, ReportProblem } from './problem.ts';

export interface XmlVisitor {
  /** An element began: local names from the root to it, without prefixes. Do not keep the array. */
  open(path: readonly string[]): void;
  /** An element ended. `text`: its own text, of which what stood before its last child is gone. */
  close(path: readonly string[], text: string): void;
}

export interface XmlReader {
  push(piece: Buffer): void;
  /** Throws ReportProblem 'broken' when elements are still open. */
  end(): void;
}

/** Octets within which the declaration names its encoding. */
const PROLOG_BYTES = 200;

/**
 * Reads XML as a stream of elements, namespaces ignored: reporters use the right one, a wrong one, or none. Document
 * types and with them entities are refused, so nothing can be defined that grows; depth, elements, attributes and text
 * are bounded. Throws ReportProblem 'doctype', 'too-many', 'broken'.
 */
export function createXmlReader(visitor: XmlVisitor, limits: ReportLimits): XmlReader {
  const path: string[] = [];
  let text = '';
  let elements = 0;
  let attributes = 0;
  const parser = new Parser(
    {
      onopentagname(name) {
        if (++elements > limits.xmlElements) throw new ReportProblem('too-many', 'it has too many elements');
        if (path.length >= limits.xmlDepth)
          throw new ReportProblem('too-many', `elements stand more than ${limits.xmlDepth} deep`);
        attributes = 0;
        text = '';
        path.push(localName(name));
        visitor.open(path);
      },
      onattribute() {
        if (++attributes > limits.xmlAttributes)
          throw new ReportProblem('too-many', 'an element has too many attributes');
      },
      ontext(data) {
        if (path.length > 0 && text.length < limits.textChars) text += data.slice(0, limits.textChars);
      },
      onclosetag() {
        visitor.close(path, text.slice(0, limits.textChars));
        path.pop();
        text = '';
      },
      onprocessinginstruction(name) {
        if (name.startsWith('!'))
          throw new ReportProblem('doctype', 'it has a document type, which reports do not');
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  let decoder: TextDecoder | undefined;
  return {
    push(piece) {
      decoder ??= decoderFor(piece);
      parser.write(decoder.decode(piece, { stream: true }));
    },
    end() {
      parser.write(decoder?.decode() ?? '');
      if (path.length > 0) throw new ReportProblem('broken', 'it ends in the middle');
      parser.end();
    },
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1).toLowerCase();
}

/** By byte order mark, else by the declaration, else UTF-8. */
function decoderFor(first: Buffer): TextDecoder {
  if (first[0] === 0xff && first[1] === 0xfe) return new TextDecoder('utf-16le');
  if (first[0] === 0xfe && first[1] === 0xff) return new TextDecoder('utf-16be');
  const prolog = first.subarray(0, PROLOG_BYTES).toString('latin1');
  const label = /^[^<]{0,10}<\?xml[^>]{0,150}?encoding\s?=\s?["']([A-Za-z0-9._-]{1,30})["']/.exec(
    prolog,
  )?.[1];
  // A declaration that could be read in ASCII cannot be UTF-16, whatever it says.
  if (label === undefined || /^utf-?16/i.test(label)) return new TextDecoder();
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}
