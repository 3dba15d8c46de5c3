import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../base/limits.ts';
import { silentLogger } from '../../base/log.ts';
import { fakeMailService } from '../../../test/support/fake-mail-service.ts';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { memoryConnection } from '../../../test/support/memory-connection.ts';
import { serveSmtp } from './serve.ts';

/**
 * Random conversations against a model of the state machine that is as small as RFC 5321 section 4.1.4 and RFC 3030
 * allow: the replies must be the model's, one for one, however the bytes are cut. A message's octets that are taken
 * for commands, or the other way round, show as a reply too many or too few.
 */
interface Model {
  state: 'start' | 'ready' | 'mail' | 'rcpt' | 'bdat';
  extended: boolean;
  attempted: boolean;
  recipients: number;
  binary: boolean;
  /** Text of the BDATs so far. */
  text: string;
  messages: string[];
}

interface Action {
  /** What the client sends, given where the model stands; '' when a client would not send it there. */
  readonly bytes: (model: Model) => string;
  /** Moves the model on; returns the codes expected. */
  readonly step: (model: Model) => number[];
  /** A client waits for the reply before it sends more. */
  readonly sync?: boolean;
}

const command = (line: string, step: Action['step'], sync = false): Action => ({
  bytes: () => `${line}\r\n`,
  step,
  sync,
});
const reset = (model: Model): void => {
  model.state = model.state === 'start' ? 'start' : 'ready';
  model.recipients = 0;
  model.attempted = false;
  model.binary = false;
  model.text = '';
};
const hello =
  (extended: boolean) =>
  (model: Model): number[] => {
    model.state = 'ready';
    model.extended = extended;
    reset(model);
    return [250];
  };
const startMail =
  (binary: boolean) =>
  (model: Model): number[] => {
    if (model.state !== 'ready') return [503];
    if (binary && !model.extended) return [555];
    model.state = 'mail';
    model.binary = binary;
    return [250];
  };
const rcpt =
  (code: number) =>
  (model: Model): number[] => {
    if (model.state !== 'mail' && model.state !== 'rcpt') return [503];
    model.attempted = true;
    if (code !== 250) return [code];
    model.state = 'rcpt';
    model.recipients++;
    return [250];
  };
const faulty = (text: string): boolean => /\r(?!\n)|(?<!\r)\n|\0/.test(text);

/** DATA, and the message when it is asked for. */
const dataCommand = command(
  'DATA',
  (model) => {
    if (model.state === 'mail' && model.attempted && !model.binary) return [554];
    return model.state === 'rcpt' && !model.binary ? [354] : [503];
  },
  true,
);
const dataBody = (text: string): Action => ({
  bytes: (model) =>
    model.state === 'rcpt' && !model.binary ? `${text.replaceAll(/(^|\r\n)\./g, '$1..')}\r\n.\r\n` : '',
  step(model) {
    if (model.state !== 'rcpt' || model.binary) return [];
    const bad = faulty(`${text}\r\n`);
    if (!bad) model.messages.push(`${text}\r\n`);
    reset(model);
    return [bad ? 550 : 250];
  },
});

const bdat = (text: string, last: boolean): Action => ({
  bytes: () => `BDAT ${text.length}${last ? ' LAST' : ''}\r\n${text}`,
  step(model) {
    if (model.state === 'mail') {
      const code = model.attempted ? 554 : 503;
      reset(model);
      return [code];
    }
    if (model.state !== 'rcpt' && model.state !== 'bdat') return [503];
    model.text += text;
    // A CR at the end of a chunk may find its LF in the next.
    const seen = last ? model.text : model.text.replace(/\r$/, '');
    if (!model.binary && faulty(seen)) {
      reset(model);
      return [550];
    }
    model.state = 'bdat';
    if (last) {
      model.messages.push(model.text);
      reset(model);
    }
    return [250];
  },
});

const body = fc
  .array(
    fc.constantFrom(
      'MAIL FROM:<x@example.org>',
      'QUIT',
      'DATA',
      'RSET',
      '.',
      '..',
      '\r\n',
      '\r\n',
      '\r\n.',
      '\n',
      '\r',
      '\0',
      'BDAT 3',
      'é',
    ),
    { maxLength: 10 },
  )
  .map((pieces) => Buffer.from(pieces.join('')).toString('latin1'));

const action: fc.Arbitrary<readonly Action[]> = fc.oneof(
  fc.constantFrom<readonly Action[]>(
    [command('EHLO client', hello(true))],
    [command('HELO client', hello(false))],
    [command('RSET', (model) => (reset(model), [250]))],
    [command('NOOP', () => [250])],
    [command('VRFY x', () => [252])],
    [command('STARTTLS', (model) => [model.state === 'start' || model.state === 'ready' ? 454 : 503])],
    [command('NONSENSE', () => [500])],
    [
      command('MAIL FROM:<a@example.org> SIZE=99999999999', (model) => [
        model.state !== 'ready' ? 503 : model.extended ? 552 : 555,
      ]),
    ],
  ),
  { weight: 3, arbitrary: fc.constant([command('MAIL FROM:<a@example.org>', startMail(false))]) },
  fc.constant([command('MAIL FROM:<a@example.org> BODY=BINARYMIME', startMail(true))]),
  { weight: 4, arbitrary: fc.constant([command('RCPT TO:<b@example.test>', rcpt(250))]) },
  fc.constant([command('RCPT TO:<unknown@example.test>', rcpt(550))]),
  { weight: 3, arbitrary: body.map((text) => [dataCommand, dataBody(text)]) },
  { weight: 4, arbitrary: fc.tuple(body, fc.boolean()).map(([text, last]) => [bdat(text, last)]) },
);

/** Replies as their codes; every line must be one of a well-formed reply. */
function codes(output: string): number[] {
  const found: number[] = [];
  for (const line of output.split('\r\n').slice(0, -1)) {
    assert.match(line, /^[2-5][0-9][0-9][ -]/);
    if (line[3] === ' ') found.push(Number(line.slice(0, 3)));
  }
  return found;
}

test('random conversations get the replies of the model, however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
      async (groups, sizes) => {
        const many = 1_000_000;
        const service = fakeMailService('smtp');
        const memory = memoryConnection();
        const session = serveSmtp(memory.connection, {
          protocol: 'smtp',
          service,
          hostname: 'mx.example.test',
          clock: manualClock(),
          logger: silentLogger,
          limits: { ...limits, errorsPerSession: many, unknownRecipientsPerSession: many },
        });
        const model: Model = {
          state: 'start',
          extended: false,
          attempted: false,
          recipients: 0,
          binary: false,
          text: '',
          messages: [],
        };
        const expected = [220];
        let pending = '';
        let size = 0;
        const send = async (): Promise<void> => {
          while (pending.length > 0) {
            const length = sizes[size++ % sizes.length] ?? 1;
            memory.send(Buffer.from(pending.slice(0, length), 'latin1'));
            pending = pending.slice(length);
          }
          await memory.idle();
        };
        for (const one of [command('EHLO client', hello(true)), ...groups.flat()]) {
          pending += one.bytes(model);
          expected.push(...one.step(model));
          if (one.sync) await send();
        }
        pending += 'QUIT\r\n';
        expected.push(221);
        await send();
        await session.done;
        assert.deepEqual(codes(memory.output), expected);
        assert.deepEqual(
          service.taken.map((message) => message.body.toString('latin1')),
          model.messages,
        );
      },
    ),
    { numRuns: 700 },
  );
});

test('no bytes whatever make a session fail, hang or forget to end', async () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom(
        'EHLO x\r\n',
        'MAIL FROM:<',
        'a@example.org>',
        '\r\n',
        'RCPT TO:<b@example.test>\r\n',
        'DATA\r\n',
        'BDAT 5',
        ' LAST',
        '.\r\n',
        'AUTH PLAIN ',
        '=',
        '*\r\n',
        ' SIZE=',
        'ORCPT=rfc822;+ZZ',
        '\n',
        '\r',
        '\0',
        'STARTTLS\r\n',
      )
      .map((text) => Buffer.from(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(noise, { maxLength: 40 }), async (chunks) => {
      const service = fakeMailService('submission');
      const memory = memoryConnection();
      const clock = manualClock();
      const session = serveSmtp(memory.connection, {
        protocol: 'smtp',
        service,
        hostname: 'mx.example.test',
        clock,
        logger: silentLogger,
        limits,
      });
      for (const chunk of chunks) memory.send(chunk);
      memory.endInput();
      await session.done;
      codes(memory.output);
      assert.equal(service.ended.length, 1);
      assert.equal(clock.timers, 0, 'timers left behind');
    }),
    { numRuns: 700 },
  );
});
