import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LineClient } from '../support/smtp-client.ts';

/**
 * Dialogues: what a client says to a line protocol's server and what it must hear, as readable scripts.
 *
 *   # comment
 *   SERVER key=value …      settings for the server of this dialogue, before anything else
 *   C: text                 send the line with CRLF; C lines that follow each other go out in one write
 *   C~ text\r\n             send exactly this; \r \n \t \0 \\ and \xHH are bytes
 *   C* 500 text             send the line so many times, in one write
 *   C^ 70000 x              send the character so many times, no CRLF
 *   BYTES 0d 0a 2e          send these octets
 *   SPLIT                   let what is to be sent arrive before what follows
 *   S: text                 the next line must be this; <...> stands for anything
 *   S+ text                 skip lines until one is this
 *   S- text                 no line up to and including the next reply's last one (or tagged line) may be this
 *   STARTTLS                client side of the handshake
 *   HALFCLOSE               the client ends its side
 *   CLOSED                  the server has closed and said nothing more
 *   WORD arguments          anything else is the protocol's own: see the `directives` of its test
 */
export interface Step {
  readonly line: number;
  readonly word: string;
  readonly text: string;
}

export interface Dialogue {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** A directive of one protocol: throws when what it asserts does not hold. */
export type Directives = Readonly<Record<string, (argument: string) => void | Promise<void>>>;

/** Parse a script; throws on a line that is none. */
export function parseDialogue(name: string, script: string): Dialogue {
  const settings: Record<string, string> = {};
  const steps: Step[] = [];
  for (const [index, raw] of script.split('\n').entries()) {
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const match = /^([CS][:~*^+-]|[A-Z]+)(?: (.*))?$/.exec(raw);
    if (match === null) throw new Error(`${name}:${index + 1}: not a step: ${raw}`);
    const [, word = '', text = ''] = match;
    if (word === 'SERVER') {
      for (const pair of text.split(' ')) {
        const [key = '', value = ''] = pair.split('=');
        settings[key] = value;
      }
    } else steps.push({ line: index + 1, word, text });
  }
  return { name, settings, steps };
}

/** All dialogues of a folder, by name. */
export function readDialogues(folder: string): readonly Dialogue[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.dialogue'))
    .toSorted()
    .map((file) => parseDialogue(file, readFileSync(join(folder, file), 'utf8')));
}

/** Play a dialogue; the error of a step that fails names its line. */
export async function playDialogue(
  dialogue: Dialogue,
  client: LineClient,
  directives: Directives,
): Promise<void> {
  let outgoing: Buffer[] = [];
  const flush = (): void => {
    if (outgoing.length > 0) client.send(Buffer.concat(outgoing));
    outgoing = [];
  };
  for (const step of dialogue.steps) {
    try {
      const bytes = outgoingBytes(step);
      if (bytes !== undefined) outgoing.push(bytes);
      else {
        flush();
        await playStep(step, client, directives);
      }
    } catch (error) {
      throw new Error(`${dialogue.name}:${step.line}: ${step.word} ${step.text}`, { cause: error });
    }
  }
  flush();
}

function outgoingBytes({ word, text }: Step): Buffer | undefined {
  if (word === 'C:') return Buffer.from(`${text}\r\n`);
  if (word === 'C~') return unescape(text);
  if (word === 'BYTES') return Buffer.from(text.replaceAll(' ', ''), 'hex');
  if (word !== 'C*' && word !== 'C^') return undefined;
  const space = text.indexOf(' ');
  const what = text.slice(space + 1);
  return Buffer.from((word === 'C*' ? `${what}\r\n` : what).repeat(Number(text.slice(0, space))));
}

function unescape(text: string): Buffer {
  const codes: Record<string, string> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };
  const plain = Buffer.from(text).toString('latin1');
  const bytes = plain.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const code = codes[letter ?? ''];
    assert(code !== undefined, `unknown escape \\${letter}`);
    return code;
  });
  return Buffer.from(bytes, 'latin1');
}

async function playStep({ word, text }: Step, client: LineClient, directives: Directives): Promise<void> {
  if (word === 'S:') {
    const line = await client.line();
    assert(matches(line, text), `got ${line ?? '(closed)'}`);
  } else if (word === 'S+') {
    for (;;) {
      const line = await client.line();
      assert(line !== undefined, 'closed before it came');
      if (matches(line, text)) return;
    }
  } else if (word === 'S-') {
    const reply = await client.reply();
    assert(!reply.split('\n').some((line) => matches(line, text)), `got ${reply}`);
  } else if (word === 'SPLIT') await new Promise((resolve) => setTimeout(resolve, 5));
  else if (word === 'STARTTLS') await client.startTls();
  else if (word === 'HALFCLOSE') client.halfClose();
  else if (word === 'CLOSED') assert.equal(await client.closed(), '');
  else {
    const directive = directives[word];
    assert(directive !== undefined, 'no such directive');
    await directive(text);
  }
}

/** Whether a line is what the script says, `<...>` standing for anything. */
function matches(line: string | undefined, pattern: string): boolean {
  if (line === undefined) return false;
  const pieces = pattern.split('<...>');
  if (pieces.length === 1) return line === pattern;
  const first = pieces[0] ?? '';
  const last = pieces.at(-1) ?? '';
  if (!line.startsWith(first) || !line.endsWith(last) || line.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = line.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return at <= line.length - last.length;
}
