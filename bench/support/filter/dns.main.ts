/** A process that answers DNS questions on a UDP port of 127.0.0.1, from `zone.ts`. Argument: the text of the key record. */
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { recordsOf } from './zone.ts';

const [keyText = ''] = process.argv.slice(2);
const NXDOMAIN = 3;
const RECURSION = 0x0180;

const socket = createSocket('udp4');
/** Answers made before: this process should cost the machine little beside those that are measured. */
const made = new Map<string, Buffer>();
let asked = 0;

socket.on('message', (bytes, { port, address }) => {
  asked++;
  // The question begins after the header of 12 octets and is alike for those who ask the same.
  const key = bytes.toString('latin1', 2);
  let reply = made.get(key);
  if (reply === undefined) made.set(key, (reply = answer(bytes)));
  bytes.copy(reply, 0, 0, 2);
  socket.send(Buffer.from(reply), port, address);
});

function answer(bytes: Buffer): Buffer {
  const { id = 0, questions = [] } = decode(bytes);
  const [question] = questions;
  if (question === undefined) return Buffer.alloc(12);
  const answers = recordsOf(question.name.toLowerCase(), question.type, keyText);
  const soa = {
    mname: 'ns.test',
    rname: 'hostmaster.test',
    serial: 1,
    refresh: 1,
    retry: 1,
    expire: 1,
    minimum: 60,
  };
  return encode({
    type: 'response',
    id,
    flags: RECURSION | (answers === undefined ? NXDOMAIN : 0),
    questions: [question],
    answers: answers ?? [],
    authorities: (answers ?? []).length > 0 ? [] : [{ type: 'SOA', name: 'test', ttl: 900, data: soa }],
  });
}

process.on('message', () => process.send?.({ asked }));
socket.bind(0, '127.0.0.1', () => process.send?.({ port: socket.address().port }));
