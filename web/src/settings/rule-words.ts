import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import type { Action, Condition, Rule } from './rule-types.ts';

type T = ReturnType<typeof texts<'settings'>>;

function conditionWords(t: T, condition: Condition): string {
  if ('bytes' in condition)
    return t(condition.size === 'over' ? 'wordsLarger' : 'wordsSmaller', {
      size: formatSize(condition.bytes),
    });
  const what =
    'list' in condition
      ? t('conditionList')
      : 'header' in condition
        ? condition.header
        : t(
            ({ from: 'conditionFrom', to: 'conditionTo', subject: 'conditionSubject' } as const)[
              condition.field
            ],
          );
  const value = 'list' in condition ? condition.list : condition.value;
  const how = 'list' in condition ? 'contains' : condition.how;
  const verb = t(({ contains: 'howContains', is: 'howIs', matches: 'howMatches' } as const)[how]);
  return `${what} ${condition.not ? t('howNot', { how: verb }) : verb} “${value}”`;
}

function actionWords(t: T, action: Action): string {
  if ('file' in action) return t('wordsFile', { mailbox: action.file });
  if ('flag' in action) return t(action.flag === 'read' ? 'actionRead' : 'actionFlagged');
  if ('keyword' in action) return t('wordsKeyword', { keyword: action.keyword });
  if ('forward' in action) return t('wordsForward', { address: action.forward });
  return t('discard' in action ? 'actionDiscard' : 'actionStop');
}

/** A rule in words. */
export function ruleSentence({ match, conditions, actions }: Rule): string {
  const t = texts('settings');
  const joint = match === 'all' ? t('wordsAnd') : t('wordsOr');
  const when = conditions.map((each) => conditionWords(t, each)).join(` ${joint} `);
  return `${when} → ${actions.map((each) => actionWords(t, each)).join(', ')}`;
}
