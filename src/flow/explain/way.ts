import { type Facts, ownReason } from './facts.ts';
import { type Said, say, toldText } from './say.ts';

/** Who said what at the other end, and how the way there was protected. */
export function transcript(facts: Facts): Said[] {
  const [host, reply, tls] = [facts.text('host'), facts.text('reply'), facts.text('tls')];
  const lines: Said[] = [];
  const own = ownReason(reply, facts.flag('answered'));
  if (own !== undefined) {
    const why = toldText(own);
    lines.push(host === '' ? say('why', { why }) : say('hostWhy', { host, why }));
  } else if (reply !== '') {
    lines.push(host === '' ? say('why', { why: reply }) : say('hostAnswered', { host, reply }));
  }
  if (tls === 'plain') lines.push(say('wayPlain'));
  else if (tls !== '' && tls !== 'local') lines.push(say('wayTls', { tls }));
  lines.push(...wayTaken(facts));
  return lines;
}

/** Which way was taken and why, where there was a choice. */
function wayTaken(facts: Facts): Said[] {
  const [route, transport] = [facts.text('route'), facts.text('transport')];
  const before = facts.list('before');
  if (route === '' || (route === 'default' && before.length === 0)) return [];
  return [
    transport === 'none' ? say('routeNone', { route }) : say('routeBy', { route, transport }),
    ...before.map((what) => say('beforeThat', { what: toldText(what) })),
  ];
}
