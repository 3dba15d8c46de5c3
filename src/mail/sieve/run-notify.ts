/** notify (RFC 5435, RFC 5436). */
import { parseMethod } from './notify-method.ts';
import { decide } from './plan.ts';
import type { Node } from './program.ts';
import { fccOf } from './run-actions.ts';
import { fail, note, type Run, tagText, text, texts } from './run.ts';
import { checkFromAddress } from './string-checks.ts';
import { fieldsNamed, fieldText } from './fields.ts';

function importanceOf(run: Run, node: Node): 1 | 2 | 3 {
  switch (tagText(run, node, 'importance') ?? '2') {
    case '1':
      return 1;
    case '2':
      return 2;
    case '3':
      return 3;
    default:
      return fail(run, 'the importance of a notification must be "1", "2" or "3"');
  }
}

export function notify(run: Run, node: Node): void {
  const method = text(run, node.args[0]);
  if (parseMethod(method) === undefined)
    fail(run, `"${method.slice(0, 100)}" is not a notification method that can be used`);
  const from = tagText(run, node, 'from');
  if (from !== undefined && checkFromAddress(from) !== undefined)
    fail(run, `:from "${from.slice(0, 100)}" is not an address`);
  // RFC 5436 2.7: nothing that a program sent is answered, or two of them would talk for ever.
  const automatic = fieldsNamed(run.draft.fields, ['auto-submitted']).some(
    (field) => !/^no\b/i.test(fieldText(field)),
  );
  if (automatic) {
    note(run, node, 'notify: not sent, because the message was sent by a program (Auto-Submitted)');
    return;
  }
  const options = node.tags.has('options') ? texts(run, node.tags.get('options')) : [];
  const message = tagText(run, node, 'message');
  decide(run, {
    kind: 'notify',
    method,
    from,
    importance: importanceOf(run, node),
    message,
    options,
    fcc: fccOf(run, node),
  });
}
