import type { Json, JsonObject } from './types.ts';

/** CloudFormation's functions in their long form, which JSON and YAML share. */

export function ref(name: string): JsonObject {
  return { Ref: name };
}

export function sub(text: string): JsonObject {
  return { 'Fn::Sub': text };
}

export function attribute(resource: string, name: string): JsonObject {
  return { 'Fn::GetAtt': [resource, name] };
}

export function either(condition: string, yes: Json, no: Json): JsonObject {
  return { 'Fn::If': [condition, yes, no] };
}

/** Leaves out the property, or the element, that it stands for. */
export const NOTHING: JsonObject = { Ref: 'AWS::NoValue' };

/** What a parameter is not. */
export function differs(value: Json, from: string): JsonObject {
  return { 'Fn::Not': [{ 'Fn::Equals': [value, from] }] };
}

/** ARN of a thing in the region and account of the stack, also in the partitions of China and the US government. */
export function localArn(service: string, resource: string): JsonObject {
  return sub(`arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
}

export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: Json;
  readonly Action: Json;
  readonly Resource: Json;
  readonly Condition?: Json;
}

/** A policy document; a statement may hang on a condition of the template. */
export function policy(...statements: readonly (Statement | JsonObject)[]): JsonObject {
  return { Version: '2012-10-17', Statement: statements.map((statement) => ({ ...statement })) };
}
