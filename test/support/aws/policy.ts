/** As much of IAM's policy language as queue policies for SNS and S3 use. */

interface Statement {
  readonly Effect?: string;
  readonly Principal?:
    | string
    | { readonly Service?: string | readonly string[]; readonly AWS?: string | readonly string[] };
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Asked {
  /** "sns.amazonaws.com" */
  readonly service: string;
  /** "sqs:SendMessage" */
  readonly action: string;
  readonly resource: string;
  /** "aws:SourceArn" and so on, lower case. */
  readonly context: Readonly<Record<string, string>>;
}

/** Whether a resource policy lets a service do something. No policy: no. */
export function allows(policy: string | undefined, asked: Asked): boolean {
  if (policy === undefined || policy === '') return false;
  const { Statement: statements = [] } = JSON.parse(policy) as {
    Statement?: Statement | readonly Statement[];
  };
  const matching = list(statements).filter((statement) => covers(statement, asked));
  return (
    matching.some(({ Effect }) => Effect === 'Allow') && !matching.some(({ Effect }) => Effect === 'Deny')
  );
}

function covers(statement: Statement, asked: Asked): boolean {
  const { Principal: principal = {} } = statement;
  const everybody = principal === '*' || (typeof principal === 'object' && list(principal.AWS).includes('*'));
  const service = typeof principal === 'object' && list(principal.Service).includes(asked.service);
  return (
    (everybody || service) &&
    list(statement.Action).some((action) => like(action.toLowerCase(), asked.action.toLowerCase())) &&
    list(statement.Resource).some((resource) => like(resource, asked.resource)) &&
    Object.entries(statement.Condition ?? {}).every(([operator, test]) =>
      holds(operator, test, asked.context),
    )
  );
}

function holds(
  operator: string,
  test: Readonly<Record<string, string | readonly string[]>>,
  context: Readonly<Record<string, string>>,
): boolean {
  const compare = OPERATORS[operator];
  if (compare === undefined) throw new Error(`The policy operator ${operator} is not emulated`);
  return Object.entries(test).every(([key, values]) => {
    const actual = context[key.toLowerCase()];
    return actual !== undefined && list(values).some((value) => compare(value, actual));
  });
}

const OPERATORS: Record<string, ((wanted: string, actual: string) => boolean) | undefined> = {
  ArnEquals: like,
  ArnLike: like,
  StringLike: like,
  StringEquals: (wanted, actual) => wanted === actual,
};

function like(pattern: string, text: string): boolean {
  const parts = pattern
    .split('*')
    .map((part) => part.replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`).replaceAll('?', '.'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}

function list<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
