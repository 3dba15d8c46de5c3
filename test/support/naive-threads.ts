/** RFC 5256 said plainly, without a thought for speed, to test the server's own against. */

export interface NaiveMessage {
  readonly uid: number;
  /** Decoded. */
  readonly subject: string;
  readonly id: string | undefined;
  /** The oldest first. */
  readonly references: readonly string[];
  /** Milliseconds since the epoch. */
  readonly date: number;
  readonly arrival?: number;
}

interface Node {
  message: NaiveMessage | undefined;
  parent: Node | undefined;
  children: Node[];
}

/** Section 2.1, step by step. */
export function naiveSubject(subject: string): { base: string; reply: boolean } {
  let text = subject.replace(/[\t\r\n]+/g, ' ').replace(/ +/g, ' ');
  let reply = false;
  for (;;) {
    for (;;) {
      const before = text;
      text = text.trimEnd().replace(/\(fwd\)$/i, '');
      if (text !== before.trimEnd()) reply = true;
      if (text === before) break;
    }
    for (;;) {
      const before = text;
      text = text.replace(/^ +/, '');
      const led = text.replace(/^(\[[^[\]]*\] *)*(re|fwd?) *(\[[^[\]]*\] *)?:/i, '');
      if (led !== text) {
        reply = true;
        text = led;
      } else {
        const bare = text.replace(/^\[[^[\]]*\] */, '');
        if (bare !== '') text = bare;
      }
      if (text === before) break;
    }
    if (!/^\[fwd:.*\]$/i.test(text)) return { base: text.trim(), reply };
    reply = true;
    text = text.slice(5, -1);
  }
}

function sameBase(subject: string): string {
  return [...naiveSubject(subject).base]
    .map((char) => (char === 'ß' ? char : char.toUpperCase()))
    .join('')
    .normalize('NFKD');
}

function isAbove(node: Node, below: Node): boolean {
  for (let at: Node | undefined = below; at !== undefined; at = at.parent) if (at === node) return true;
  return false;
}

function unlink(node: Node): void {
  if (node.parent === undefined) return;
  node.parent.children = node.parent.children.filter((each) => each !== node);
  node.parent = undefined;
}

function link(parent: Node, child: Node): void {
  if (isAbove(child, parent)) return;
  child.parent = parent;
  parent.children.push(child);
}

function firstMessage(node: Node): NaiveMessage {
  let at: Node | undefined = node;
  while (at !== undefined && at.message === undefined) at = at.children[0];
  if (at?.message === undefined) throw new Error('a dummy without children');
  return at.message;
}

function byDate(a: Node, b: Node): number {
  const [x, y] = [firstMessage(a), firstMessage(b)];
  return x.date - y.date || x.uid - y.uid;
}

function sortAll(nodes: Node[]): void {
  for (const node of nodes) sortAll(node.children);
  nodes.sort(byDate);
}

function prune(nodes: readonly Node[], atTop: boolean): Node[] {
  return nodes.flatMap((node) => {
    node.children = prune(node.children, false);
    if (node.message !== undefined) return [node];
    if (node.children.length === 0) return [];
    return atTop && node.children.length > 1 ? [node] : node.children;
  });
}

function references(messages: readonly NaiveMessage[]): Node[] {
  const byId = new Map<string, Node>();
  const nodes: Node[] = [];
  const own = messages.map((message): Node => {
    const node: Node = { message, parent: undefined, children: [] };
    if (message.id !== undefined && !byId.has(message.id)) byId.set(message.id, node);
    nodes.push(node);
    return node;
  });
  for (const [i, message] of messages.entries()) {
    let last: Node | undefined;
    for (const id of message.references) {
      let node = byId.get(id);
      if (node === undefined) {
        node = { message: undefined, parent: undefined, children: [] };
        byId.set(id, node);
        nodes.push(node);
      }
      if (last !== undefined && node.parent === undefined) link(last, node);
      last = node;
    }
    const node = own[i];
    if (node === undefined) continue;
    unlink(node);
    if (last !== undefined) link(last, node);
  }
  const roots = prune(
    nodes.filter(({ parent }) => parent === undefined),
    true,
  );
  sortAll(roots);
  return merged(roots);
}

function merged(roots: readonly Node[]): Node[] {
  const isReply = (node: Node): boolean =>
    node.message !== undefined && naiveSubject(node.message.subject).reply;
  const table = new Map<string, Node>();
  for (const node of roots) {
    const base = sameBase(firstMessage(node).subject);
    if (base === '') continue;
    const old = table.get(base);
    if (
      old === undefined ||
      (old.message !== undefined && (node.message === undefined || (isReply(old) && !isReply(node))))
    )
      table.set(base, node);
  }
  let left = [...roots];
  for (const node of roots) {
    const base = sameBase(firstMessage(node).subject);
    const other = table.get(base);
    if (base === '' || other === undefined || other === node) continue;
    left = left.filter((each) => each !== node);
    if (other.message === undefined) {
      if (node.message === undefined) other.children.push(...node.children);
      else other.children.push(node);
    } else if (isReply(node) && !isReply(other)) other.children.push(node);
    else {
      const dummy: Node = { message: undefined, parent: undefined, children: [other, node] };
      left = left.filter((each) => each !== other);
      left.push(dummy);
      table.set(base, dummy);
    }
  }
  sortAll(left);
  return left;
}

function orderedSubject(messages: readonly NaiveMessage[]): Node[] {
  const sorted = messages.toSorted((a, b) => a.date - b.date || a.uid - b.uid);
  const groups = Map.groupBy(sorted, ({ subject }) => sameBase(subject));
  const leaf = (message: NaiveMessage): Node => ({ message, parent: undefined, children: [] });
  const threads = [...groups.values()].map((group): Node => {
    const [first, ...rest] = group;
    if (first === undefined) throw new Error('an empty group');
    return { ...leaf(first), children: rest.map(leaf) };
  });
  return threads.sort(byDate);
}

function written(node: Node): string {
  const own = node.message === undefined ? [] : [String(node.message.uid)];
  const [only] = node.children;
  if (node.children.length === 1 && only !== undefined) return [...own, written(only)].join(' ');
  const below = node.children.map((child) => `(${written(child)})`).join('');
  return [...own, ...(below === '' ? [] : [below])].join(' ');
}

/** The threads as the THREAD response writes them, by UID. */
export function naiveThreads(
  messages: readonly NaiveMessage[],
  algorithm: 'REFERENCES' | 'ORDEREDSUBJECT',
): string {
  const roots = algorithm === 'REFERENCES' ? references(messages) : orderedSubject(messages);
  return roots.map((node) => `(${written(node)})`).join('');
}
