import type { MessageFacts } from '../transport.ts';
import type { Route, RouteMatch } from './settings.ts';

/** Which route a message takes to a destination. */

/** The first route that matches; undefined: none does. */
export function chooseRoute(
  routes: readonly Route[],
  facts: MessageFacts,
  destination: string,
): Route | undefined {
  return routes.find(({ match }) => matches(match, facts, destination));
}

/** All that is given must hold. */
export function matches(match: RouteMatch, facts: MessageFacts, destination: string): boolean {
  const { message } = facts;
  if (match.min_size !== undefined && message.size < match.min_size) return false;
  if (match.max_size !== undefined && message.size > match.max_size) return false;
  if (match.origins !== undefined && !match.origins.includes(message.origin)) return false;
  if (match.recipient_domains !== undefined && !inDomains(destination, match.recipient_domains)) return false;
  if (match.accounts !== undefined && !isAccount(facts.account, match.accounts)) return false;
  if (
    match.sender_domains !== undefined &&
    !senderDomains(facts).some((one) => inDomains(one, match.sender_domains ?? []))
  )
    return false;
  return (match.headers ?? []).every((wanted) => hasField(facts, wanted));
}

/** Whether settings ask for something that only the header tells. */
export function needsHeader(routes: readonly Route[]): boolean {
  return routes.some(({ match }) => match.headers !== undefined || match.sender_domains !== undefined);
}

/** "example.org" is itself alone, ".example.org" what is below it. */
function inDomains(domain: string, wanted: readonly string[]): boolean {
  const name = domain.toLowerCase();
  return wanted.some((one) => {
    const pattern = one.toLowerCase();
    return pattern.startsWith('.') ? name.endsWith(pattern) : name === pattern;
  });
}

function isAccount(account: string | undefined, wanted: readonly string[]): boolean {
  if (account === undefined) return false;
  const name = account.toLowerCase();
  return wanted.some((one) => one.toLowerCase() === name);
}

/** Of the reverse-path; of From where that is null. */
function senderDomains({ message, from }: MessageFacts): readonly string[] {
  const paths = message.reversePath === '' ? from : [message.reversePath];
  return paths.map((path) => path.slice(path.lastIndexOf('@') + 1));
}

function hasField(
  { fields }: MessageFacts,
  wanted: { readonly name: string; readonly contains?: string | undefined },
): boolean {
  const name = wanted.name.toLowerCase();
  const text = wanted.contains?.toLowerCase() ?? '';
  return fields.some(
    (field) => field.name.toLowerCase() === name && field.value.toLowerCase().includes(text),
  );
}
