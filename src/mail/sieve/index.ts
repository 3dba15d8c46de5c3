/** The Sieve language (RFC 5228 and extensions): `compile` a script, `evaluate` it on a message. */
export { compile } from './compile.ts';
export { applyEdits, editHeaderOctets, headerLength } from './edits.ts';
export { evaluate } from './evaluate.ts';
export { SIEVE_EXTENSIONS } from './extensions.ts';
export { SIEVE_LIMITS } from './limits.ts';
export { type ReadOctets, sieveFields, sieveMessage } from './message.ts';
export { type MailtoMethod, parseMethod } from './notify-method.ts';
