import type { CloudFormationTemplate, Json } from '../../src/mail/ses-template/types.ts';
import {
  IDENTITY_POLICIES,
  PSEUDO_PARAMETERS,
  type Shape,
  TEMPLATE_LIMITS,
  TYPE_SPECS,
} from './template-spec.ts';

/** What is wrong with a template, one sentence each; what CloudFormation itself would say, and some that it would not. */
export function lintTemplate(template: CloudFormationTemplate): string[] {
  const lint = new Lint(template);
  lint.all();
  return lint.problems;
}

function isMap(value: unknown): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The function a map stands for: { Ref } or one Fn::*. */
function intrinsic(value: Json): readonly [name: string, argument: Json] | undefined {
  if (!isMap(value)) return undefined;
  const [entry, ...rest] = Object.entries(value);
  if (entry === undefined || rest.length > 0) return undefined;
  return entry[0] === 'Ref' || entry[0].startsWith('Fn::') ? entry : undefined;
}

const ARGUMENTS: Readonly<Record<string, (argument: Json) => boolean>> = {
  Ref: (argument) => typeof argument === 'string',
  'Fn::Sub': (argument) => typeof argument === 'string',
  'Fn::GetAtt': (argument) => isTextList(argument) && argument.length === 2,
  'Fn::If': (argument) => Array.isArray(argument) && argument.length === 3 && typeof argument[0] === 'string',
  'Fn::Join': (argument) =>
    Array.isArray(argument) && argument.length === 2 && typeof argument[0] === 'string',
  'Fn::Equals': (argument) => Array.isArray(argument) && argument.length === 2,
  'Fn::Not': (argument) => Array.isArray(argument) && argument.length === 1,
};

function isTextList(value: Json): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

class Lint {
  readonly problems: string[] = [];
  readonly #template: CloudFormationTemplate;
  readonly #used = new Set<string>();
  /** What each resource needs before it. */
  readonly #needs = new Map<string, Set<string>>();

  constructor(template: CloudFormationTemplate) {
    this.#template = template;
  }

  all(): void {
    const { Parameters, Conditions, Resources, Outputs } = this.#template;
    this.#limits();
    for (const [name, parameter] of Object.entries(Parameters)) this.#parameter(name, parameter);
    for (const [name, test] of Object.entries(Conditions)) this.#walk(test, `Conditions.${name}`, undefined);
    for (const [id, resource] of Object.entries(Resources)) this.#resource(id, resource);
    for (const [name, output] of Object.entries(Outputs)) this.#output(name, output);
    for (const name of Object.keys(Parameters))
      if (!this.#used.has(name)) this.#say(name, 'is a parameter that nothing uses');
    for (const name of Object.keys(Conditions))
      if (!this.#used.has(`condition ${name}`)) this.#say(name, 'is a condition that nothing uses');
    this.#interface();
    this.#cycles();
  }

  #say(where: string, what: string): void {
    this.problems.push(`${where} ${what}`);
  }

  #limits(): void {
    const { AWSTemplateFormatVersion, Description, Parameters, Resources, Outputs } = this.#template;
    if (AWSTemplateFormatVersion !== '2010-09-09') this.#say('template', 'has a wrong version');
    if (Description.length > TEMPLATE_LIMITS.description) this.#say('template', 'has a long description');
    const counts = [
      ['resources', Object.keys(Resources).length],
      ['outputs', Object.keys(Outputs).length],
      ['parameters', Object.keys(Parameters).length],
      ['bytes', Buffer.byteLength(JSON.stringify(this.#template, undefined, 2))],
    ] as const;
    for (const [what, count] of counts)
      if (count > TEMPLATE_LIMITS[what]) this.#say('template', `has ${count} ${what}`);
    if (Object.keys(Resources).length === 0) this.#say('template', 'has no resource');
    const ids = [Parameters, Resources, Outputs].flatMap(Object.keys);
    for (const id of ids)
      if (!/^[A-Za-z0-9]+$/.test(id) || id.length > TEMPLATE_LIMITS.logicalId)
        this.#say(id, 'is no logical id');
    for (const id of Object.keys(Resources))
      if (id in Parameters) this.#say(id, 'is a parameter and a resource');
  }

  #parameter(name: string, parameter: CloudFormationTemplate['Parameters'][string]): void {
    const { Type, Default, AllowedValues, AllowedPattern, Description } = parameter;
    if (!['String', 'CommaDelimitedList'].includes(Type)) this.#say(name, `has the unknown type ${Type}`);
    if (Description.length === 0) this.#say(name, 'is not described');
    if (Default === undefined) return;
    if (Buffer.byteLength(Default) > TEMPLATE_LIMITS.parameterBytes) this.#say(name, 'has a long default');
    if (AllowedValues !== undefined && !AllowedValues.includes(Default))
      this.#say(name, 'has a default that is not allowed');
    if (AllowedPattern !== undefined && !new RegExp(`^(?:${AllowedPattern})$`).test(Default))
      this.#say(name, 'has a default that does not fit its pattern');
  }

  #resource(id: string, resource: CloudFormationTemplate['Resources'][string]): void {
    const known = ['Type', 'Condition', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy', 'Properties'];
    for (const key of Object.keys(resource)) if (!known.includes(key)) this.#say(id, `has ${key}`);
    const needs = new Set<string>();
    this.#needs.set(id, needs);
    for (const other of resource.DependsOn ?? []) {
      if (!(other in this.#template.Resources)) this.#say(id, `depends on ${other}, which is not there`);
      needs.add(other);
    }
    this.#condition(resource.Condition, id);
    const spec = TYPE_SPECS[resource.Type];
    if (spec === undefined) return this.#say(id, `has the unknown type ${resource.Type}`);
    const properties = resource.Properties ?? {};
    this.#shape(properties, spec.properties, `${id}.Properties`, resource.Type);
    this.#walk(properties, `${id}.Properties`, id);
    if (resource.Type === 'AWS::IAM::ManagedPolicy') this.#policySize(id, properties['PolicyDocument'] ?? '');
  }

  #policySize(id: string, document: Json): void {
    // As long as the pseudo parameters can become.
    const text = JSON.stringify(document)
      .replaceAll('${AWS::Partition}', 'aws-us-gov')
      .replaceAll('${AWS::Region}', 'ap-southeast-99')
      .replaceAll('${AWS::AccountId}', '123456789012')
      .replaceAll('{"Fn::Sub":', '')
      .replaceAll('"}', '"');
    if (text.length > TEMPLATE_LIMITS.managedPolicyChars)
      this.#say(id, `is a policy of ${text.length} characters`);
  }

  #output(name: string, { Value, Condition, Description }: CloudFormationTemplate['Outputs'][string]): void {
    if (Description.length > TEMPLATE_LIMITS.description) this.#say(name, 'has a long description');
    this.#condition(Condition, name);
    this.#walk(Value, `Outputs.${name}`, undefined, Condition);
  }

  #condition(name: string | undefined, where: string): void {
    if (name === undefined) return;
    this.#used.add(`condition ${name}`);
    if (!(name in this.#template.Conditions))
      this.#say(where, `hangs on the condition ${name}, which is not there`);
  }

  /** Every function in a value, with what it names. `under`: conditions that hold there. */
  #walk(value: Json, where: string, owner: string | undefined, ...under: (string | undefined)[]): void {
    if (Array.isArray(value)) {
      (value as readonly Json[]).forEach((item, i) => this.#walk(item, `${where}[${i}]`, owner, ...under));
      return;
    }
    if (typeof value === 'string') return this.#plainText(value, where);
    if (!isMap(value)) return;
    const call = intrinsic(value);
    if (call === undefined) {
      for (const [name, item] of Object.entries(value)) this.#walk(item, `${where}.${name}`, owner, ...under);
      return;
    }
    this.#call(call, where, owner, under);
  }

  #plainText(value: string, where: string): void {
    if (value.includes('${')) this.#say(where, 'has a variable outside of Fn::Sub');
    if (/arn:aws[a-z-]*:/.test(value) && !where.includes('AssumeRolePolicyDocument'))
      this.#say(where, 'has an ARN of one partition');
  }

  #call(
    [name, argument]: readonly [string, Json],
    where: string,
    owner: string | undefined,
    under: (string | undefined)[],
  ): void {
    const fits = ARGUMENTS[name];
    if (fits === undefined) return this.#say(where, `uses ${name}`);
    if (!fits(argument)) return this.#say(where, `gives ${name} what it does not take`);
    if (name === 'Ref') return this.#name(String(argument), undefined, where, owner, under);
    if (name === 'Fn::Sub') return this.#sub(String(argument), where, owner, under);
    const list = argument as readonly Json[];
    if (name === 'Fn::GetAtt') return this.#name(String(list[0]), String(list[1]), where, owner, under);
    if (name === 'Fn::If') {
      const condition = String(list[0]);
      this.#condition(condition, where);
      this.#walk(list[1] ?? '', where, owner, ...under, condition);
      this.#walk(list[2] ?? '', where, owner, ...under);
      return;
    }
    for (const item of list) this.#walk(item, where, owner, ...under);
  }

  #sub(text: string, where: string, owner: string | undefined, under: (string | undefined)[]): void {
    const variables = [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name);
    if (variables.length === 0) this.#say(where, 'has a Fn::Sub without a variable');
    if (/arn:(?!\$\{AWS::Partition\})/.test(text)) this.#say(where, 'has an ARN of one partition');
    for (const variable of variables) {
      const [id = '', ...attribute] = variable.split('.');
      this.#name(id, attribute.length === 0 ? undefined : attribute.join('.'), where, owner, under);
    }
  }

  #name(
    id: string,
    attribute: string | undefined,
    where: string,
    owner: string | undefined,
    under: (string | undefined)[],
  ): void {
    const { Parameters, Resources } = this.#template;
    this.#used.add(id);
    if (attribute === undefined && (PSEUDO_PARAMETERS.includes(id) || id in Parameters)) return;
    const resource = Resources[id];
    if (resource === undefined) return this.#say(where, `names ${id}, which is not there`);
    if (attribute !== undefined && TYPE_SPECS[resource.Type]?.attributes.includes(attribute) !== true)
      this.#say(where, `asks for ${id}.${attribute}, which ${resource.Type} does not have`);
    if (owner !== undefined) this.#needs.get(owner)?.add(id);
    const holds = [...under, owner === undefined ? undefined : Resources[owner]?.Condition];
    if (resource.Condition !== undefined && !holds.includes(resource.Condition))
      this.#say(where, `names ${id}, which is there only if ${resource.Condition}`);
  }

  #shape(value: Json, shape: Shape, where: string, type: string): void {
    const call = intrinsic(value);
    if (call?.[0] === 'Fn::If') {
      const [, yes, no] = call[1] as readonly Json[];
      for (const branch of [yes, no])
        if (branch !== undefined && !(isMap(branch) && branch['Ref'] === 'AWS::NoValue'))
          this.#shape(branch, shape, where, type);
      return;
    }
    if (shape === 'free') return;
    if (shape === 'policy') return this.#policy(value, where, type);
    if (isShapeList(shape)) {
      if (call !== undefined) return;
      if (!Array.isArray(value)) return this.#say(where, 'is no list');
      (value as readonly Json[]).forEach((item, i) => this.#shape(item, shape.list, `${where}[${i}]`, type));
      return;
    }
    if (typeof shape === 'string' || Array.isArray(shape))
      return this.#scalar(value, call !== undefined, shape as string | readonly string[], where);
    if (call !== undefined || !isMap(value)) return this.#say(where, 'is not a map of properties');
    this.#properties(value, shape as { readonly [property: string]: Shape }, where, type);
  }

  #properties(
    value: { readonly [name: string]: Json },
    shape: { readonly [property: string]: Shape },
    where: string,
    type: string,
  ): void {
    for (const [name, item] of Object.entries(value)) {
      const inner = shape[name] ?? shape[`${name}!`];
      if (inner === undefined) this.#say(`${where}.${name}`, `is no property of ${type}`);
      else this.#shape(item, inner, `${where}.${name}`, type);
    }
    for (const name of Object.keys(shape)) {
      if (name.endsWith('!') && !(name.slice(0, -1) in value)) this.#say(where, `lacks ${name.slice(0, -1)}`);
    }
  }

  #scalar(value: Json, computed: boolean, shape: string | readonly string[], where: string): void {
    if (computed) return;
    if (typeof shape !== 'string') {
      if (typeof value !== 'string' || !shape.includes(value))
        this.#say(where, `is ${JSON.stringify(value)}, not one of ${shape.join(', ')}`);
      return;
    }
    const wanted = { text: 'string', number: 'number', flag: 'boolean' }[shape];
    if (typeof value !== wanted) this.#say(where, `is no ${shape}`);
  }

  #policy(value: Json, where: string, type: string): void {
    if (!isMap(value) || value['Version'] !== '2012-10-17')
      return this.#say(where, 'is no policy of 2012-10-17');
    const statements = value['Statement'];
    if (!Array.isArray(statements) || statements.length === 0) return this.#say(where, 'has no statement');
    const sids = new Set<string>();
    (statements as readonly Json[]).forEach((item, i) => {
      const call = intrinsic(item);
      const statement = call?.[0] === 'Fn::If' ? (call[1] as readonly Json[])[1] : item;
      this.#statement(statement ?? '', `${where}.Statement[${i}]`, type, sids);
    });
  }

  #statement(value: Json, where: string, type: string, sids: Set<string>): void {
    if (!isMap(value)) return this.#say(where, 'is no statement');
    const known = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition'];
    for (const key of Object.keys(value)) if (!known.includes(key)) this.#say(where, `has ${key}`);
    const { Sid, Effect, Principal, Action, Resource } = value as Record<string, Json>;
    if (Sid !== undefined) {
      if (typeof Sid !== 'string' || !/^[A-Za-z0-9]+$/.test(Sid) || sids.has(Sid))
        this.#say(where, 'has a bad Sid');
      sids.add(String(Sid));
    }
    if (Effect !== 'Allow' && Effect !== 'Deny') this.#say(where, 'has a bad Effect');
    const actions = Array.isArray(Action) ? (Action as readonly Json[]) : [Action ?? ''];
    for (const action of actions)
      if (typeof action !== 'string' || !/^[a-z0-9]+:(\*|[A-Z][A-Za-z]+)$/.test(action))
        this.#say(where, 'has a bad Action');
    const trust = type === 'AWS::IAM::Role';
    if ((Principal === undefined) !== IDENTITY_POLICIES.includes(type))
      this.#say(where, 'has a Principal where none belongs, or none');
    if ((Resource === undefined) !== trust) this.#say(where, 'has a Resource where none belongs, or none');
    if (Effect === 'Allow' && Principal === '*') this.#say(where, 'allows everybody');
    if (Effect === 'Allow' && actions.some((action) => String(action).endsWith(':*')))
      this.#say(where, 'allows everything');
  }

  #interface(): void {
    const groups = this.#template.Metadata['AWS::CloudFormation::Interface'];
    const shown = JSON.stringify(groups ?? {});
    for (const name of Object.keys(this.#template.Parameters))
      if (!shown.includes(`"${name}"`)) this.#say(name, 'is in no group of parameters');
  }

  #cycles(): void {
    const done = new Set<string>();
    const visit = (id: string, path: readonly string[]): void => {
      if (path.includes(id)) return this.#say([...path, id].join(' -> '), 'is a cycle');
      if (done.has(id)) return;
      for (const other of this.#needs.get(id) ?? []) visit(other, [...path, id]);
      done.add(id);
    };
    for (const id of this.#needs.keys()) visit(id, []);
  }
}

function isShapeList(shape: Shape): shape is { readonly list: Shape } {
  return (
    typeof shape === 'object' && !Array.isArray(shape) && Object.keys(shape).length === 1 && 'list' in shape
  );
}
