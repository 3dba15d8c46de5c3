import { type Arg, type Args, type Said, wordsOf } from '../../base/words.ts';
import { rules } from '../spam/rules/index.ts';
import type { Facts } from './facts.ts';
import { events } from './words/events.ts';
import { remedies } from './words/remedies.ts';
import { told } from './words/told.ts';
import { whyWords } from './words/why.ts';

/** Sentences about events, about what can be done, about why a message is where it is. */

export const say = wordsOf('events', events).say;
export const remedy = wordsOf('remedies', remedies).say;
export const sayWhy = wordsOf('why', whyWords).say;
/** What the filter and others wrote into the journal, in English: recognised by its words. */
const written = wordsOf('rules', told);
export const sayTold = written.say;
/** Characters of a text that is looked at. */
const LOOKED_AT = 600;

/** A text of the journal, with its code where it is a sentence of ours. */
export function toldText(text: string): Said {
  if (text.length > LOOKED_AT) return { code: '', text };
  const said = written.find(text) ?? ruleText(text) ?? { code: '', text };
  if (said.args === undefined) return said;
  // What stands within a sentence may be one itself: what was asked for, why there is none.
  const args = Object.entries(said.args).map(([name, arg]) => [name, inner(arg)] as const);
  return { ...said, args: Object.fromEntries(args) };
}

function inner(arg: Arg): Arg {
  if (typeof arg !== 'string' || !arg.includes(' ')) return arg;
  return phrases(arg) ?? deeper(arg) ?? arg;
}

/** What stands within a sentence within a sentence: nothing stands deeper. */
function deeper(text: string): Said | undefined {
  const said = written.find(text);
  if (said?.args === undefined) return said ?? ruleText(text);
  const args = Object.entries(said.args).map(([name, arg]) => {
    return [name, (typeof arg === 'string' ? phrases(arg) : undefined) ?? arg] as const;
  });
  return { ...said, args: Object.fromEntries(args) };
}

/** 'the word "a", a link to b': what the classifier names, where each of it is known. */
function phrases(text: string): Arg | undefined {
  const list = text.split(', ').map((each) => written.find(each));
  if (!list.every((each) => each?.code.startsWith('rules.content') === true)) return undefined;
  return { list: list.filter((each) => each !== undefined), text };
}

/** Explanations of the filter's rules, by their words. */
const RULES: ReadonlyMap<string, string> = new Map(rules.map(({ name, explain }) => [explain, name]));
const RULE_NAMES: ReadonlySet<string> = new Set(rules.map(({ name }) => name));

/** What a rule says, with or without a detail behind it. */
function ruleText(text: string): Said | undefined {
  const whole = RULES.get(text);
  if (whole !== undefined) return { code: `rules.${whole}`, text };
  for (let colon = text.indexOf(': '); colon !== -1; colon = text.indexOf(': ', colon + 1)) {
    const name = RULES.get(text.slice(0, colon));
    if (name !== undefined) return { code: `rules.${name}`, args: { detail: text.slice(colon + 2) }, text };
  }
  return undefined;
}

/** A rule of whose words nothing is kept but its name. */
export function ruleNamed(name: string, text: string): Said {
  return { code: RULE_NAMES.has(name) ? `rules.${name}` : '', text };
}

/** Addresses that are named before the rest is counted. */
const NAMED_ADDRESSES = 5;

/** "<a>, <b> and 7 more". */
export function addressesArg(addresses: readonly string[]): Arg {
  const names = addresses.slice(0, NAMED_ADDRESSES).map((address) => `<${address}>`);
  const more = addresses.length - names.length;
  const text = more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
  return more > 0 ? { names, more, text } : text;
}

/** "<a@example.org>", the null reverse-path in words. */
export function addressArg(address: string): Arg {
  return address === '' ? say('nobody') : `<${address}>`;
}

/** Who was at the other end: "mail.example.net [192.0.2.1]". */
export function peerArg(facts: Facts): Arg {
  const address = facts.text('ip');
  const via = facts.text('via');
  const helo = facts.text('helo');
  if (address === '' && via === '' && helo === '') return say('thisMachine');
  const ip = address === '' ? via || 'a program on this machine' : `[${address}]`;
  return helo === '' || helo === ip ? ip : `${helo} ${ip}`;
}

export function reasonIs(text: string): Said {
  return say('whyIs', { reason: toldText(text) });
}

/** As remedies are told: none, or one. */
export function only(said: Said | undefined): readonly Said[] {
  return said === undefined ? [] : [said];
}

export type { Arg, Args, Said };
