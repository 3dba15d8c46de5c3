import { operations } from '../../../servers/http/admin/operations.ts';
import { CHECKS } from '../../../flow/doctor/types.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { doctorText } from '../doctor-text.ts';
import { plain, table } from '../plain-text.ts';

const { doctor } = operations;

/** What a person types for a value: JSON where it is some, else the text itself. */
function valueOf(text: string): string | number | boolean | null | object {
  try {
    return JSON.parse(text) as string | number | boolean | null | object;
  } catch {
    return text;
  }
}

export const doctorCommands: readonly CliCommand[] = [
  {
    words: ['doctor', 'settings'],
    summary: 'what is published beside the usual records, and what the doctor asks',
    details: 'Settings marked with * were changed. docs/guides/doctor.md explains each.',
    args: [],
    options: {},
    example: 'doctor settings',
    async run({ admin, io }) {
      const value = await admin.call(doctor.show, {});
      const rows = Object.entries(value.settings).map(([name, setting]) => [
        `${value.changed.includes(name) ? '* ' : '  '}${name}`,
        typeof setting === 'string' ? setting : JSON.stringify(setting),
      ]);
      return {
        value,
        text: () => table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['doctor', 'set'],
    summary: 'change one of these settings, at once',
    args: [
      { name: 'NAME', help: 'as "postern doctor settings" names it' },
      { name: 'VALUE', help: 'the new value; lists as JSON; "default" brings the default back' },
    ],
    options: {},
    example: 'doctor set mta_sts enforce',
    async run({ admin, arg }) {
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const answer = await admin.call(doctor.set, { name: arg(0), value: value as null });
      const now = Object.entries(answer.settings).find(([name]) => name === arg(0))?.[1];
      return said(`${plain(arg(0))} is ${plain(JSON.stringify(now ?? value))} from now on.`, answer);
    },
  },
  // Last: the words of the others would be domains to it.
  {
    words: ['doctor'],
    summary: 'what is wrong around the server (DNS, ports, certificates, lists), and how to mend it',
    details: `Asks the servers of your zones and your resolver, connects to its own ports and to others', and changes nothing. What cannot be seen from this machine is "unknown", with the command that shows it elsewhere. Checks: ${CHECKS.join(', ')}. Exit status 0 when nothing is wrong, 1 when there is a problem, 3 when there are only warnings or unknown things.`,
    args: [{ name: 'DOMAIN', help: 'the server and this domain (default: all domains)', optional: true }],
    options: {
      check: { value: 'NAME', help: 'only this check', many: true },
      brief: { help: 'leave out what is all right' },
    },
    example: 'doctor example.org',
    async run({ admin, io, args, texts, on }) {
      const wanted = texts('check');
      const only = CHECKS.filter((name) => wanted.includes(name));
      const strange = wanted.find((name) => !CHECKS.some((check) => check === name));
      if (strange !== undefined)
        throw new UsageError(`there is no check "${plain(strange)}"; there are ${CHECKS.join(', ')}`);
      const domain = args[0];
      const value = await admin.call(doctor.run, {
        ...(domain !== undefined && { domain }),
        ...(only.length > 0 && { only }),
      });
      const has = (state: string): boolean => value.lines.some((line) => line.state === state);
      const status = has('problem') ? 1 : has('warning') || has('unknown') ? 3 : 0;
      return { value, text: () => doctorText(value, io.width, on('brief')), status };
    },
  },
];
