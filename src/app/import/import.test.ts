import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { composeValues } from './compose.ts';
import { parseEnvFile } from './env-file.ts';
import { parsePasswd } from './passwd.ts';

describe('an .env file', () => {
  it('is read as Compose does', () => {
    const { values, problems } = parseEnvFile(`\uFEFF# comment
A=one # note
export B="two # not a note\\n\\"three\\" \${A}"
C='single $A \${A}'
D=\${NONE:-fallback \${A}}
E=\${EMPTY-unset}
EMPTY=
F=\${EMPTY:-filled}
G=\${EMPTY-stays}
H="several
lines"
I=a#b
J: colon
K=$$5 $A-x
L=\${A:+yes}
not a line
M="open
N=after
`);
    assert.deepEqual(Object.fromEntries(values), {
      A: 'one',
      B: 'two # not a note\n"three" one',
      C: 'single $A ${A}',
      D: 'fallback one',
      E: 'unset',
      EMPTY: '',
      F: 'filled',
      G: '',
      H: 'several\nlines',
      I: 'a#b',
      J: 'colon',
      K: '$5 one-x',
      L: 'yes',
    });
    assert.deepEqual(problems, [
      'line 16: neither NAME=value nor a comment',
      'line 17: the " has no end; what follows is not read',
    ]);
  });

  it('takes no long time, whatever it says', () => {
    parseEnvFile(`A=${'${X:-'.repeat(20_000)}`);
    parseEnvFile('A="\n'.repeat(2000));
  });
});

describe('Compose files', () => {
  it('give the values of known names', () => {
    const env = new Map([['R', 'eu-west-1']]);
    const text = `services:
  x:
    environment:
      - AWS_REGION=\${R}
      - "MAX_MESSAGE_SIZE=5"
      LOG_LEVEL: "\${L:-info}" # as it is
      POSTFIX_LOOKUP_TABLE: pcre:/run/secrets/t
      OTHER: no
      AWS_CREDENTIALS: [a]
`;
    const names = new Set([
      'AWS_REGION',
      'MAX_MESSAGE_SIZE',
      'LOG_LEVEL',
      'POSTFIX_LOOKUP_TABLE',
      'AWS_CREDENTIALS',
    ]);
    assert.deepEqual(Object.fromEntries(composeValues(text, names, env)), {
      AWS_REGION: ['eu-west-1'],
      MAX_MESSAGE_SIZE: ['5'],
      LOG_LEVEL: ['info'],
      POSTFIX_LOOKUP_TABLE: ['pcre:/run/secrets/t'],
    });
  });
});

describe('a passwd-file', () => {
  it('gives users whose passwords can be checked, and says what is wrong with the others', () => {
    const { users, problems } = parsePasswd(
      'ann:{PLAIN}a b::\n# x\nbob:$6$abcdefgh$iiBW30h6MQUpgkXT9F87NVy6FIbloKXQmfPH87w2UkYa6T8cikoVXkyDCmOccwyrz69xvCZIs4Q.UiGV4ZRkv.:1:1:::\r\nANN:{PLAIN}x::\ncarl:{OTP}x::\ndan:::\nbad name:{PLAIN}x\neve@x.org:{PLAIN}x::\nfred:{SHA256-CRYPT}!::\n',
    );
    assert.deepEqual(
      users.map(({ name, hash }) => [name, hash.slice(0, 9)]),
      [
        ['ann', '{PLAIN}a '],
        ['bob', '{CRYPT}$6'],
        ['eve@x.org', '{PLAIN}x'],
      ],
    );
    assert.deepEqual(
      problems.map(({ line, why }) => [line, why]),
      [
        [4, 'line 1 has the same name'],
        [5, 'passwords of the scheme OTP cannot be checked here'],
        [6, 'it has no password'],
        [7, 'its name cannot be that of a mail account'],
        [9, 'it has no password'],
      ],
    );
  });
});
