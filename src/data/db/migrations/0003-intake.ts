import type { TypeNames } from '../sql.ts';

/** Mail that another host took for us (Amazon SES) and put into a bucket: what was taken from there, for whom. */
export function intake(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // state: waiting (not settled for everybody) | guessed (taken for those we could tell; more may be named later) |
    // done | gone (it was not there) | stuck (it will never do as it is). told_by: sns | sqs | dead-letter | sweep |
    // retry | admin. recipients: JSON list as SES named them, NULL when it never did. notice: JSON of what else it said.
    // next_at: when it is tried again, or removed from the bucket; NULL: nothing is left to do. Times: milliseconds.
    `CREATE TABLE intake_objects (bucket ${t.text} NOT NULL, object_key ${t.text} NOT NULL, source ${t.text} NOT NULL,
      state ${t.text} NOT NULL, trace ${t.text} NOT NULL, told_by ${t.text} NOT NULL, first_at ${t.int} NOT NULL,
      received_at ${t.int} NOT NULL, size ${t.int}, attempts ${t.int} NOT NULL, next_at ${t.int}, reason ${t.text} NOT NULL,
      recipients ${t.text}, notice ${t.text}, settled_at ${t.int}, removed_at ${t.int},
      PRIMARY KEY (bucket, object_key))${clustered}`,
    `CREATE INDEX intake_objects_next ON intake_objects(next_at) WHERE next_at IS NOT NULL`,
    `CREATE INDEX intake_objects_first ON intake_objects(first_at)`,
    `CREATE INDEX intake_objects_state ON intake_objects(state, received_at)`,
    // Who has it, in the commit that gave it to them: once for each. recipient: lower case. outcome: taken | vault |
    // bounced | dropped | failed.
    `CREATE TABLE intake_recipients (bucket ${t.text} NOT NULL, object_key ${t.text} NOT NULL, recipient ${t.text} NOT NULL,
      outcome ${t.text} NOT NULL, at ${t.int} NOT NULL, PRIMARY KEY (bucket, object_key, recipient))${clustered}`,
    // Notices that could not be understood; digest: of the body, so that a repeated one is one row.
    `CREATE TABLE intake_problems (id ${t.id}, digest ${t.text} NOT NULL UNIQUE, source ${t.text} NOT NULL,
      told_by ${t.text} NOT NULL, first_at ${t.int} NOT NULL, last_at ${t.int} NOT NULL, count ${t.int} NOT NULL,
      reason ${t.text} NOT NULL, body ${t.text} NOT NULL)${t.table}`,
    `CREATE INDEX intake_problems_last ON intake_problems(last_at)`,
  ];
}
