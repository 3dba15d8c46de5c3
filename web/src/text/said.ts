import type { Arg, Said } from '../../../src/base/words.ts';
import { formatDate, formatDateTime, formatSize } from '../base/format.ts';
import { knowTexts, language, loadTexts, textOf } from '../base/i18n.ts';
import { AREAS, type SaidArea } from './said-areas.ts';
import { formatMessage } from '../base/message-format.ts';

export type { SaidArea } from './said-areas.ts';
export type { Said } from '../../../src/base/words.ts';

/**
 * The server's sentences in the language of the moment, by their codes ("events.message.queued"). What has no code, or one
 * that this app does not know, is shown in the server's English and marked as such.
 */

knowTexts(
  Object.fromEntries(
    Object.entries(
      import.meta.glob<{ default: Readonly<Record<string, string>> }>(
        './*/{why,rules,events,remedies,advice,problems,setup,checks,health,audit,ways,settingsAbout}.ts',
      ),
    ).map(([path, load]) => [path.replace('./', '../text/'), load]),
  ),
);

/** Have at hand what sentences about mail need. */
export async function loadSentences(...areas: readonly SaidArea[]): Promise<void> {
  await Promise.all(areas.map(loadTexts));
}

export interface Spoken {
  readonly text: string;
  /** Of text that could not be had in the language of the moment. */
  readonly lang: 'en' | undefined;
}

export function spoken(said: Said): Spoken {
  const { code, args = {} } = said;
  const dot = code.indexOf('.');
  const area = AREAS.find((each) => each === code.slice(0, dot));
  const text = area === undefined ? undefined : textOf(area, code.slice(dot + 1));
  if (text === undefined) return { text: said.text, lang: language.value === 'en' ? undefined : 'en' };
  const values = Object.fromEntries(Object.entries(args).map(([name, arg]) => [name, valueOf(arg)]));
  const whole = formatMessage(text, values, language.value);
  // What a message holds stands behind what its rule says.
  const detail = area === 'rules' && args['detail'] !== undefined ? valueOf(args['detail']) : undefined;
  return { text: detail === undefined ? whole : formatMessage(DETAIL, { whole, detail }), lang: undefined };
}

const DETAIL = '{whole}: {detail}';

function valueOf(arg: Arg): string | number {
  if (typeof arg !== 'object') return arg;
  if ('at' in arg) return formatDateTime(arg.at);
  if ('day' in arg) return formatDate(arg.day);
  if ('octets' in arg) return formatSize(arg.octets);
  if ('ms' in arg) return formatSpan(arg.ms);
  if ('names' in arg) {
    const template = textOf('events', 'listMore') ?? arg.text;
    return formatMessage(template, { names: arg.names.join(', '), count: arg.more }, language.value);
  }
  if ('list' in arg)
    return arg.list.map((each) => spoken(each).text).join(language.value === 'zh' ? '，' : ', ');
  // Within a sentence, which has an end of its own.
  return spoken(arg).text.replace(/[.。]$/, '');
}

const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A span in its largest whole unit. */
function formatSpan(ms: number): string {
  const [unit, size] = SPANS.find(([, each]) => ms >= each) ?? SPANS[3];
  const options = { style: 'unit', unit, unitDisplay: 'long' } as const;
  return new Intl.NumberFormat(language.value, options).format(Math.max(0, Math.floor(ms / size)));
}
