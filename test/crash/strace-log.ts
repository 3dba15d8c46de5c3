/** A call as strace saw it. `began` and `ended` are places in the log, which is in the order in which calls began and ended. */
export interface SystemCall {
  readonly thread: number;
  readonly name: string;
  /** What stands between the parentheses. */
  readonly args: string;
  readonly result: string;
  readonly began: number;
  readonly ended: number;
}

const LINE = /^(\d+) +\d+\.\d+ (.*)$/;
const WHOLE = /^(\w+)\((.*)\) += (.*)$/;
const BEGUN = /^(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)\) += (.*)$/;

/** Read what `strace -f -ttt -o FILE` wrote: calls in the order in which they ended. */
export function readStrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, { args: string; began: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, pid = '', rest = ''] = LINE.exec(line) ?? [];
    const thread = Number(pid);
    const whole = WHOLE.exec(rest);
    const begun = BEGUN.exec(rest);
    const resumed = RESUMED.exec(rest);
    if (resumed !== null) {
      const [, name = '', more = '', result = ''] = resumed;
      const start = open.get(`${thread} ${name}`);
      if (start === undefined) continue;
      open.delete(`${thread} ${name}`);
      calls.push({ thread, name, args: start.args + more, result, began: start.began, ended: at });
    } else if (begun !== null) {
      const [, name = '', args = ''] = begun;
      open.set(`${thread} ${name}`, { args, began: at });
    } else if (whole !== null) {
      const [, name = '', args = '', result = ''] = whole;
      calls.push({ thread, name, args, result, began: at, ended: at });
    }
  }
  return calls;
}

/** fsync and fdatasync of a file whose path matches; with `-y` the path stands behind the descriptor. */
export function syncsOf(calls: readonly SystemCall[], path: RegExp): SystemCall[] {
  return calls.filter(({ name, args }) => /^f(data)?sync$/.test(name) && path.test(args));
}
