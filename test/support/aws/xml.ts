/** What the XML and Query protocols of Amazon need: elements out, forms in. */

/** Element text: strings and numbers as they are, arrays as repeated elements, objects as children; undefined is left out. */
export type XmlValue =
  | string
  | number
  | boolean
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

export function element(name: string, value: XmlValue, attributes = ''): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((each: XmlValue) => element(name, each)).join('');
  return `<${name}${attributes}>${typeof value === 'object' ? children(value) : escapeXml(String(value))}</${name}>`;
}

function children(value: object): string {
  return Object.entries(value)
    .map(([name, each]) => element(name, each as XmlValue))
    .join('');
}

export function document(name: string, namespace: string, value: XmlValue): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(name, value, ` xmlns="${namespace}"`)}`;
}

export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"\r]/g, (char) => ESCAPES[char] ?? char);
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

/** The members of a list in a form: "Destinations.member.1", "...2". */
export function formList(form: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index++) {
    const value = form.get(`${name}.member.${index}`);
    if (value === null) return values;
    values.push(value);
  }
}

/** A map in a form: "Attributes.entry.1.key" and ".value". */
export function formMap(form: URLSearchParams, name: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (let index = 1; ; index++) {
    const key = form.get(`${name}.entry.${index}.key`);
    if (key === null) return values;
    values[key] = form.get(`${name}.entry.${index}.value`) ?? '';
  }
}
