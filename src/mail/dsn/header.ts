/** Octets of a header section that are looked at and returned. */
const HEADER_OCTETS = 64 * 1024;

/** A field value, unfolded, is cut at this many characters. */
const VALUE_LENGTH = 4000;

/**
 * A header section with every line ended by CRLF, cut at the first empty line and at 64 KiB (at a whole line).
 * Other line ends than CRLF, which only old or odd sources have, are made CRLF.
 */
export function headerSection(bytes: Buffer): Buffer {
  const lines: string[] = [];
  let octets = 0;
  for (const line of bytes
    .subarray(0, HEADER_OCTETS)
    .toString('latin1')
    .split(/\r\n|\n|\r/)) {
    octets += line.length + 2;
    if (line === '' || octets > HEADER_OCTETS) break;
    lines.push(line);
  }
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/**
 * Fields of a header section or a block like one, by lower-case name, the first of each, unfolded. Latin-1 text.
 * Lines that are no field are passed over.
 */
export function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      const value = current === undefined ? undefined : fields.get(current);
      if (current !== undefined && value !== undefined && value.length < VALUE_LENGTH) {
        fields.set(current, `${value} ${line.trim()}`.slice(0, VALUE_LENGTH));
      }
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trimEnd().toLowerCase();
    current = undefined;
    if (!/^[!-9;-~]{1,100}$/.test(name) || fields.has(name)) continue;
    current = name;
    fields.set(
      name,
      line
        .slice(colon + 1)
        .trim()
        .slice(0, VALUE_LENGTH),
    );
  }
  return fields;
}

/** A Message-ID as a field has it, or undefined when it is not one that can be referred to. */
export function messageIdOf(value: string | undefined): string | undefined {
  return /<[!-;=?-~]{1,240}>/.exec(value ?? '')?.[0];
}
