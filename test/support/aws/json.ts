import { malformed } from './internal.ts';

export type JsonObject = { [name: string]: unknown };

/** The body as a JSON object; {} where there is none. */
export function readJson(body: Buffer): JsonObject {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed('SerializationException', 'The body is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('SerializationException', 'The body is no JSON object');
  }
  return value as JsonObject;
}

export function text(input: JsonObject, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined)
    throw malformed('MissingParameter', `The request must contain the parameter ${name}.`);
  return value;
}

export function optionalText(input: JsonObject, name: string): string | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw malformed('SerializationException', `${name} is not a string`);
  return value;
}

/** An integer within its limits; undefined when absent. */
export function numberIn(input: JsonObject, name: string, min: number, max: number): number | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw malformed('InvalidParameterValue', `Value ${String(value)} for parameter ${name} is invalid.`);
  }
  return value;
}

export function object(input: JsonObject, name: string): JsonObject | undefined {
  const value = input[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('SerializationException', `${name} is not a structure`);
  }
  return value as JsonObject;
}

export function stringMap(input: JsonObject, name: string): Record<string, string> {
  const map = object(input, name) ?? {};
  return Object.fromEntries(
    Object.keys(map).map((key) => {
      const value = optionalText(map, key);
      return [key, value ?? ''];
    }),
  );
}

export function textList(input: JsonObject, name: string): string[] {
  const value = input[name];
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string')) {
    throw malformed('SerializationException', `${name} is not a list of strings`);
  }
  return value as string[];
}
