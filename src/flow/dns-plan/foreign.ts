import type { RecordType } from '../../net/dns-providers/types.ts';
import { isSpf, spfAdvice } from './spf.ts';

/** What values of others mean for one of ours at the same name. */

/** TXT records of which a name may have only one, told by how they begin. */
const SINGLE = ['v=DMARC1', 'v=STSv1', 'v=TLSRPTv1', 'v=DKIM1'] as const;

export interface Neighbours {
  readonly name: string;
  readonly type: RecordType;
  readonly value: string;
  /** Values of others in the same record set. */
  readonly sameType: readonly string[];
  /** Types of others at the same name. */
  readonly otherTypes: readonly RecordType[];
  /** Write MX, addresses and SRV beside those of others. */
  readonly beside: boolean;
}

/** Undefined: ours can be added beside them. */
export function obstacle(at: Neighbours): string | undefined {
  const { type, sameType, otherTypes } = at;
  // RFC 1034 section 3.6.2: an alias stands alone.
  if (type === 'CNAME' && otherTypes.length > 0)
    return `There are ${otherTypes.join(', ')} records of others at this name, and an alias stands alone. Take them out, or leave them if they lead to the same host.`;
  if (type !== 'CNAME' && otherTypes.includes('CNAME'))
    return 'This name is an alias (CNAME) of others, which stands alone. Take it out first.';
  if (sameType.length === 0) return undefined;
  switch (type) {
    case 'CNAME':
      return `It is an alias of ${listed(sameType)}. Take that out first.`;
    case 'TXT':
      return besideText(at);
    case 'MX':
      if (sameType.some((value) => /^\d+ \.$/.test(value)))
        return 'The domain says that it takes no mail ("0 ."). Take that out first.';
      return at.beside ? undefined : `${besideHosts(sameType)}, the lowest number first. ${HOW_BESIDE}`;
    case 'A':
    case 'AAAA':
      return at.beside
        ? undefined
        : `The name has another address (${listed(sameType)}). Take it out if it is old; if it is ours seen from outside, name it: postern doctor set addresses. ${HOW_BESIDE}`;
    case 'SRV':
      return at.beside
        ? undefined
        : `Programs are told of ${listed(sameType)}. Take that out first. ${HOW_BESIDE}`;
    default:
      return undefined;
  }
}

const HOW_BESIDE = 'With --beside ours is added and theirs stays.';

function besideHosts(values: readonly string[]): string {
  return `Mail of the domain goes to ${listed(values)}. Once you move, take that out; as long as both are there mail goes to either`;
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 3).join(', ');
  return values.length > 3 ? `${shown} and ${values.length - 3} more` : shown;
}

function besideText({ value, sameType }: Neighbours): string | undefined {
  const spf = isSpf(value) ? sameType.find(isSpf) : undefined;
  if (spf !== undefined) {
    const { missing, merged } = spfAdvice(spf, value);
    // RFC 7208 section 4.5: two records make every check fail.
    return missing.length === 0
      ? `There is an SPF record of others that names our hosts already: ${spf}`
      : `There is an SPF record already (${spf}), and there may be only one. Add ${missing.map((term) => `"${term}"`).join(' and ')} to it: ${merged}`;
  }
  const tag = SINGLE.find((each) => begins(value, each));
  const other = tag === undefined ? undefined : sameType.find((each) => begins(each, tag));
  if (other === undefined) return undefined;
  return `There is one already, and there may be only one: ${other}`;
}

function begins(value: string, tag: string): boolean {
  return value.toLowerCase().startsWith(tag.toLowerCase());
}
