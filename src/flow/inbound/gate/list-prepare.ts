import { normalizeDomain } from '../../../mail/address/domain.ts';
import { reverseName } from '../../../net/dns/addresses.ts';
import { codeTest, type ListCode } from './list-codes.ts';
import { anyCode, presetOf, shownZone } from './presets-table.ts';

/** A DNS list as a site sets it; all but `zone` may be left out for a list that presets-table.ts knows. */
export interface ListSetting {
  readonly zone: string;
  readonly of?: 'ip' | 'domain' | undefined;
  /** Empty is left out too. */
  readonly codes?: Readonly<Record<string, { readonly score: number; readonly means: string }>> | undefined;
  readonly refuse?: boolean | undefined;
}

/** A DNS list ready to be asked. */
export interface PreparedList {
  /** Lower case, no final dot. May contain the site's key: never show it. */
  readonly zone: string;
  /** The zone as it may be shown. */
  readonly shown: string;
  readonly of: 'ip' | 'domain';
  readonly codes: readonly ListCode[];
  readonly errors: readonly { readonly matches: (address: string) => boolean; readonly means: string }[];
  readonly refuse: boolean;
  /** What the list has for tests: RFC 5782 section 5, or what the list says of itself. */
  readonly listedEntry: string;
  readonly clearEntry: string;
}

/** Octets a name may have (RFC 1035 section 2.3.4), the dots counted and the last one not. */
const NAME_OCTETS = 253;

/** Turn settings into lists; what cannot be understood goes to `problem` and is left out. */
export function prepareLists(
  settings: readonly ListSetting[],
  problem: (text: string) => void,
): readonly PreparedList[] {
  const lists = new Map<string, PreparedList>();
  for (const setting of settings) {
    const list = prepareList(setting, problem);
    if (list !== undefined && !lists.has(list.zone)) lists.set(list.zone, list);
  }
  return [...lists.values()];
}

function prepareList(setting: ListSetting, problem: (text: string) => void): PreparedList | undefined {
  const zone = normalizeDomain(setting.zone.replace(/\.$/, ''));
  if (zone === undefined) {
    problem(`"${setting.zone.slice(0, 50)}" is not the name of a zone`);
    return undefined;
  }
  const shown = shownZone(zone);
  const preset = presetOf(zone);
  const of = setting.of ?? preset?.of ?? 'ip';
  const own = setting.codes !== undefined && Object.keys(setting.codes).length > 0;
  const codes: ListCode[] = [];
  for (const [pattern, { score, means }] of Object.entries(
    own ? (setting.codes ?? {}) : (preset?.codes ?? anyCode),
  )) {
    const matches = codeTest(pattern);
    if (matches === undefined) problem(`${shown}: "${pattern}" is not an answer like 127.0.0.2`);
    else codes.push({ matches, score, means: means === '' ? 'is listed' : means });
  }
  const errors = Object.entries(preset?.errors ?? {}).flatMap(([pattern, means]) => {
    const matches = codeTest(pattern);
    return matches === undefined ? [] : [{ matches, means }];
  });
  return {
    zone,
    shown,
    of,
    codes,
    errors,
    refuse: setting.refuse === true,
    // RFC 5782 section 5.
    listedEntry: preset?.testEntry ?? (of === 'ip' ? '127.0.0.2' : 'test'),
    clearEntry: of === 'ip' ? '127.0.0.1' : 'invalid',
  };
}

/**
 * The name to ask a list for: octets or nibbles turned round for an address (RFC 5782 sections 2.1 and 2.4), a domain as
 * it is (section 2.2). Undefined when the subject cannot be asked for.
 */
export function listQuestion(list: PreparedList, subject: string): string | undefined {
  const name = list.of === 'ip' ? reverseName(subject)?.replace(/\.(?:in-addr|ip6)\.arpa$/, '') : subject;
  if (name === undefined || name === '') return undefined;
  const question = `${name}.${list.zone}`;
  return question.length > NAME_OCTETS ? undefined : question;
}
