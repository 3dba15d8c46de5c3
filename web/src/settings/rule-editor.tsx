import { useState } from 'preact/hooks';
import { Check } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { Choice } from './choice.tsx';
import {
  type Action,
  type ActionKind,
  actionKind,
  actionOf,
  type Condition,
  type ConditionKind,
  conditionKind,
  conditionOf,
  type How,
  MEGABYTE,
  type Rule,
} from './rule-types.ts';
import { FormDialog, Text } from './fields.tsx';

interface RuleEditorProps {
  readonly rule: Rule;
  readonly problem: string | undefined;
  readonly busy: boolean;
  readonly onClose: () => void;
  readonly onSave: (rule: Rule) => void;
}

export function RuleEditor({ rule, problem, busy, onClose, onSave }: RuleEditorProps) {
  const t = texts('settings');
  const [now, setNow] = useState(rule);
  const set = (change: Partial<Rule>): void => setNow({ ...now, ...change });
  return (
    <FormDialog
      title={rule.name || t('ruleAdd')}
      wide
      busy={busy}
      problems={problem === undefined ? [] : [problem]}
      onClose={onClose}
      onSubmit={() => onSave(now)}
    >
      <Text
        label={t('ruleName')}
        required
        maxLength={100}
        value={now.name}
        onInput={(text) => set({ name: text })}
      />
      <section class="settings-section">
        <Choice
          label={t('ruleWhen')}
          value={now.match}
          options={[
            ['all', t('ruleAll')],
            ['any', t('ruleAny')],
          ]}
          onChange={(match) => set({ match })}
        />
        {now.conditions.map((condition, index) => (
          <ConditionRow
            key={index}
            condition={condition}
            removable={now.conditions.length > 1}
            onChange={(next) => set({ conditions: now.conditions.with(index, next) })}
            onRemove={() => set({ conditions: now.conditions.toSpliced(index, 1) })}
          />
        ))}
        <div class="row">
          <button
            type="button"
            class="button quiet"
            onClick={() => set({ conditions: [...now.conditions, conditionOf('from')] })}
          >
            <Icon name="plus" />
            {t('conditionAdd')}
          </button>
        </div>
      </section>
      <section class="settings-section">
        <h3>{t('ruleThen')}</h3>
        {now.actions.map((action, index) => (
          <ActionRow
            key={index}
            action={action}
            removable={now.actions.length > 1}
            onChange={(next) => set({ actions: now.actions.with(index, next) })}
            onRemove={() => set({ actions: now.actions.toSpliced(index, 1) })}
          />
        ))}
        <div class="row">
          <button
            type="button"
            class="button quiet"
            onClick={() => set({ actions: [...now.actions, actionOf('read')] })}
          >
            <Icon name="plus" />
            {t('actionAdd')}
          </button>
        </div>
      </section>
    </FormDialog>
  );
}

interface RowProps<T> {
  readonly removable: boolean;
  readonly onChange: (value: T) => void;
  readonly onRemove: () => void;
}

const CONDITIONS = {
  from: 'conditionFrom',
  to: 'conditionTo',
  subject: 'conditionSubject',
  header: 'conditionHeader',
  list: 'conditionList',
  larger: 'conditionLarger',
  smaller: 'conditionSmaller',
} as const;

function ConditionRow({
  condition,
  removable,
  onChange,
  onRemove,
}: RowProps<Condition> & { readonly condition: Condition }) {
  const t = texts('settings');
  const kind = conditionKind(condition);
  return (
    <div class="settings-condition" role="group" aria-label={t('condition')}>
      <select
        class="input"
        aria-label={t('conditionWhat')}
        value={kind}
        onChange={(event) => onChange(conditionOf(event.currentTarget.value as ConditionKind, condition))}
      >
        {Object.entries(CONDITIONS).map(([value, label]) => (
          <option key={value} value={value}>
            {t(label)}
          </option>
        ))}
      </select>
      {'bytes' in condition ? (
        <span class="soft">MB</span>
      ) : (
        <select
          class="input"
          aria-label={t('conditionHow')}
          value={`${condition.not ? 'not-' : ''}${'how' in condition ? condition.how : 'contains'}`}
          onChange={(event) => {
            const { value } = event.currentTarget;
            const not = value.startsWith('not-');
            const how = (not ? value.slice(4) : value) as How;
            onChange('how' in condition ? { ...condition, how, not } : { ...condition, not });
          }}
        >
          <option value="contains">{t('howContains')}</option>
          <option value="not-contains">{t('howNot', { how: t('howContains') })}</option>
          {'how' in condition && (
            <>
              <option value="is">{t('howIs')}</option>
              <option value="not-is">{t('howNot', { how: t('howIs') })}</option>
              <option value="matches">{t('howMatches')}</option>
            </>
          )}
        </select>
      )}
      <ConditionValue condition={condition} onChange={onChange} />
      <button
        type="button"
        class="icon-button"
        aria-label={t('conditionRemove')}
        disabled={!removable}
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

function ConditionValue({
  condition,
  onChange,
}: {
  readonly condition: Condition;
  readonly onChange: (value: Condition) => void;
}) {
  const t = texts('settings');
  if ('bytes' in condition)
    return (
      <input
        class="input settings-value"
        type="number"
        min={0.1}
        step={0.1}
        aria-label={t('conditionSize')}
        value={condition.bytes / MEGABYTE}
        onInput={(event) =>
          onChange({
            ...condition,
            bytes: Math.max(1, Math.round(Number(event.currentTarget.value) * MEGABYTE)),
          })
        }
      />
    );
  const value = 'list' in condition ? condition.list : condition.value;
  return (
    <span class="settings-value row">
      {'header' in condition && (
        <input
          class="input"
          required
          pattern="[!-9;-~]+"
          aria-label={t('conditionHeaderName')}
          value={condition.header}
          onInput={(event) => onChange({ ...condition, header: event.currentTarget.value })}
        />
      )}
      <input
        class="input"
        required
        dir="auto"
        maxLength={500}
        aria-label={t('conditionValue')}
        value={value}
        onInput={(event) => {
          const text = event.currentTarget.value;
          onChange('list' in condition ? { ...condition, list: text } : { ...condition, value: text });
        }}
      />
    </span>
  );
}

const ACTIONS = {
  file: 'actionFile',
  read: 'actionRead',
  flagged: 'actionFlagged',
  keyword: 'actionKeyword',
  forward: 'actionForward',
  discard: 'actionDiscard',
  stop: 'actionStop',
} as const;

function ActionRow({
  action,
  removable,
  onChange,
  onRemove,
}: RowProps<Action> & { readonly action: Action }) {
  const t = texts('settings');
  return (
    <div class="row" role="group" aria-label={t('action')}>
      <select
        class="input"
        style={{ width: 'auto' }}
        aria-label={t('actionWhat')}
        value={actionKind(action)}
        onChange={(event) => onChange(actionOf(event.currentTarget.value as ActionKind))}
      >
        {Object.entries(ACTIONS).map(([value, label]) => (
          <option key={value} value={value}>
            {t(label)}
          </option>
        ))}
      </select>
      {'file' in action && (
        <input
          class="input"
          style={{ flex: 1, width: 'auto' }}
          required
          dir="auto"
          placeholder={t('actionMailbox')}
          aria-label={t('actionMailbox')}
          value={action.file}
          onInput={(event) => onChange({ file: event.currentTarget.value })}
        />
      )}
      {'keyword' in action && (
        <input
          class="input"
          style={{ flex: 1, width: 'auto' }}
          required
          pattern="[A-Za-z0-9$_.\-]{1,50}"
          aria-label={t('actionKeyword')}
          value={action.keyword}
          onInput={(event) => onChange({ keyword: event.currentTarget.value })}
        />
      )}
      {'forward' in action && (
        <>
          <input
            class="input"
            style={{ flex: 1, width: 'auto' }}
            type="email"
            required
            aria-label={t('actionAddress')}
            value={action.forward}
            onInput={(event) => onChange({ ...action, forward: event.currentTarget.value })}
          />
          <Check
            label={t('forwardKeep')}
            checked={action.keep}
            onChange={(keep) => onChange({ ...action, keep })}
          />
        </>
      )}
      <button
        type="button"
        class="icon-button"
        aria-label={t('actionRemove')}
        disabled={!removable}
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}
