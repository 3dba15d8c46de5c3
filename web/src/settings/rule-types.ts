/** Rules as the account API keeps them (the structured settings that become Sieve). */

export type Condition =
  | {
      readonly field: 'from' | 'to' | 'subject';
      readonly how: How;
      readonly value: string;
      readonly not: boolean;
    }
  | { readonly header: string; readonly how: How; readonly value: string; readonly not: boolean }
  | { readonly size: 'over' | 'under'; readonly bytes: number }
  | { readonly list: string; readonly not: boolean };

export type How = 'contains' | 'is' | 'matches';

export type Action =
  | { readonly file: string }
  | { readonly flag: 'read' | 'flagged' | 'answered' }
  | { readonly keyword: string }
  | { readonly forward: string; readonly keep: boolean }
  | { readonly discard: true }
  | { readonly stop: true };

export interface Rule {
  readonly name: string;
  readonly enabled: boolean;
  readonly match: 'all' | 'any';
  readonly conditions: readonly Condition[];
  readonly actions: readonly Action[];
}

/** What a row of the form asks for. */
export type ConditionKind = 'from' | 'to' | 'subject' | 'header' | 'list' | 'larger' | 'smaller';
export type ActionKind = 'file' | 'read' | 'flagged' | 'keyword' | 'forward' | 'discard' | 'stop';

/** Octets of a megabyte, in which the form asks for sizes. */
export const MEGABYTE = 1_000_000;

export function conditionKind(condition: Condition): ConditionKind {
  if ('field' in condition) return condition.field;
  if ('header' in condition) return 'header';
  if ('list' in condition) return 'list';
  return condition.size === 'over' ? 'larger' : 'smaller';
}

/** An empty condition of a kind; what the old one said is kept where it fits. */
export function conditionOf(kind: ConditionKind, old?: Condition): Condition {
  const value = old === undefined ? '' : 'value' in old ? old.value : 'list' in old ? old.list : '';
  const how = old !== undefined && 'how' in old ? old.how : 'contains';
  const not = old !== undefined && 'not' in old ? old.not : false;
  switch (kind) {
    case 'larger':
    case 'smaller':
      return {
        size: kind === 'larger' ? 'over' : 'under',
        bytes: old !== undefined && 'bytes' in old ? old.bytes : MEGABYTE,
      };
    case 'list':
      return { list: value, not };
    case 'header':
      return { header: old !== undefined && 'header' in old ? old.header : 'X-', how, value, not };
    default:
      return { field: kind, how, value, not };
  }
}

export function actionKind(action: Action): ActionKind {
  if ('file' in action) return 'file';
  if ('flag' in action) return action.flag === 'read' ? 'read' : 'flagged';
  if ('keyword' in action) return 'keyword';
  if ('forward' in action) return 'forward';
  return 'discard' in action ? 'discard' : 'stop';
}

export function actionOf(kind: ActionKind): Action {
  switch (kind) {
    case 'file':
      return { file: '' };
    case 'read':
      return { flag: 'read' };
    case 'flagged':
      return { flag: 'flagged' };
    case 'keyword':
      return { keyword: '' };
    case 'forward':
      return { forward: '', keep: true };
    case 'discard':
      return { discard: true };
    case 'stop':
      return { stop: true };
  }
}

export const NEW_RULE: Rule = {
  name: '',
  enabled: true,
  match: 'all',
  conditions: [{ field: 'from', how: 'contains', value: '', not: false }],
  actions: [{ file: '' }],
};

/** The list with the entry at `from` standing at `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const entry = list[from];
  if (entry === undefined || to < 0 || to >= list.length) return list;
  return list.toSpliced(from, 1).toSpliced(to, 0, entry);
}
