import type {
  Condition,
  ForwardSettings,
  Rule,
  RuleAction,
  SieveSettings,
  VacationSettings,
} from './settings.ts';
import { isTime, vacationEntity, vacationText } from './vacation.ts';

/** The script that settings become. It is shown to people who want to learn from it, so it is written to be read. */

interface Block {
  readonly lines: readonly string[];
  readonly needs: readonly string[];
}

/** Undefined where nothing is set that would do anything. */
export function generate(settings: SieveSettings): string | undefined {
  const { vacation, forward, rules } = settings;
  const blocks = [
    ...(vacation?.enabled === true ? [vacationBlock(vacation)] : []),
    ...(forward === undefined ? [] : [forwardBlock(forward)]),
    ...rules.filter(({ enabled }) => enabled).map(ruleBlock),
  ];
  if (blocks.length === 0) return undefined;
  const needs = [...new Set(blocks.flatMap((block) => block.needs))].toSorted();
  const lines = [
    '# Made of the settings of this account, and written anew when they change.',
    ...(needs.length === 0 ? [] : [`require ${list(needs)};`]),
    ...blocks.flatMap((block) => ['', ...block.lines]),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function vacationBlock(vacation: VacationSettings): Block {
  const { from, until, subject, days, addresses } = vacation;
  const tests = [
    ...(from === undefined ? [] : [isTime(from) ? timeTest('ge', from) : dayTest('ge', from)]),
    ...(until === undefined ? [] : [isTime(until) ? timeTest('lt', until) : dayTest('le', until)]),
  ];
  const entity = vacationEntity(vacation);
  const tags = [
    `:days ${days}`,
    ...(subject === undefined ? [] : [`:subject ${quoted(subject)}`]),
    ...(addresses.length === 0 ? [] : [`:addresses ${list(addresses)}`]),
    ...(entity === undefined ? [] : [':mime']),
  ].join(' ');
  const command = [`vacation ${tags} ${multiline(entity ?? vacationText(vacation))};`];
  const needs = ['vacation', ...(tests.length === 0 ? [] : ['date', 'relational'])];
  return { needs, lines: ['# While away', ...when(tests, 'all', command)] };
}

function dayTest(how: 'ge' | 'le', day: string): string {
  return `currentdate :value "${how}" "date" ${quoted(day)}`;
}

/**
 * Texts are compared, so the key stops before the zone: what it is the start of is greater than it, however the zone is
 * written (RFC 5260 4.2 lets it be "Z" or an offset).
 */
function timeTest(how: 'ge' | 'lt', time: string): string {
  return `currentdate :zone "+0000" :value "${how}" "iso8601" ${quoted(time.replace(/Z$/, ''))}`;
}

/** What the filter takes for spam is not sent on: others would take it for ours. */
function forwardBlock({ addresses, keep }: ForwardSettings): Block {
  const commands = addresses.map((address) => `redirect${keep ? ' :copy' : ''} ${quoted(address)};`);
  const lines = when(['not header :is "X-Spam-Flag" "YES"'], 'all', keep ? commands : [...commands, 'stop;']);
  return { needs: keep ? ['copy'] : [], lines: ['# Forward', ...lines] };
}

function ruleBlock({ name, match, conditions, actions }: Rule): Block {
  const commands = actions.map(actionCommand);
  const tests = conditions.map(conditionTest);
  return {
    needs: commands.flatMap(({ needs }) => needs),
    lines: [
      `# Rule: ${name.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')}`,
      ...when(
        tests,
        match,
        commands.flatMap(({ lines }) => lines),
      ),
    ],
  };
}

function conditionTest(condition: Condition): string {
  if ('size' in condition) return `size :${condition.size} ${condition.bytes}`;
  const not = condition.not ? 'not ' : '';
  if ('list' in condition) return `${not}header :contains "List-Id" ${quoted(condition.list)}`;
  const { how, value } = condition;
  if ('header' in condition) return `${not}header :${how} ${quoted(condition.header)} ${quoted(value)}`;
  if (condition.field === 'subject') return `${not}header :${how} "Subject" ${quoted(value)}`;
  const fields = condition.field === 'from' ? '"From"' : '["To", "Cc"]';
  // A whole address is compared with the address alone, anything less with all that the field says.
  return `${not}${how === 'contains' ? 'header' : 'address'} :${how} ${fields} ${quoted(value)}`;
}

const FLAGS = { read: '\\Seen', flagged: '\\Flagged', answered: '\\Answered' } as const;

function actionCommand(action: RuleAction): Block {
  if ('file' in action)
    return { needs: ['fileinto', 'mailbox'], lines: [`fileinto :create ${quoted(action.file)};`] };
  if ('flag' in action) return { needs: ['imap4flags'], lines: [`addflag ${quoted(FLAGS[action.flag])};`] };
  if ('keyword' in action) return { needs: ['imap4flags'], lines: [`addflag ${quoted(action.keyword)};`] };
  if ('forward' in action) {
    const { forward, keep } = action;
    return { needs: keep ? ['copy'] : [], lines: [`redirect${keep ? ' :copy' : ''} ${quoted(forward)};`] };
  }
  return { needs: [], lines: ['discard' in action ? 'discard;' : 'stop;'] };
}

function when(tests: readonly string[], match: 'all' | 'any', commands: readonly string[]): string[] {
  if (tests.length === 0) return [...commands];
  const [only = '', second] = tests;
  const test = second === undefined ? only : `${match}of (${tests.join(',\r\n         ')})`;
  return [
    `if ${test}`,
    '{',
    ...commands.map((command) => (command.includes('\r\n') ? command : `  ${command}`)),
    '}',
  ];
}

/** RFC 5228 2.4.2: in a quoted string only the quote and the backslash are escaped. */
export function quoted(text: string): string {
  return `"${clean(text).replaceAll(/["\\]/g, '\\$&')}"`;
}

function list(items: readonly string[]): string {
  return items.length === 1 ? quoted(items[0] ?? '') : `[${items.map(quoted).join(', ')}]`;
}

/** Text of several lines stands as it is, a dot at the start of a line doubled. */
function multiline(text: string): string {
  const lines = clean(text).split(/\r\n|\r|\n/);
  if (lines.length === 1) return quoted(text);
  return `text:\r\n${lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n')}\r\n.\r\n`;
}

function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}
