import type admin from './en/admin.ts';
import type base from './en/base.ts';
import type compose from './en/compose.ts';
import type mail from './en/mail.ts';
import type settings from './en/settings.ts';
import type signIn from './en/signIn.ts';

/** Every catalogue. English decides which texts there are; the others must have the same (`satisfies Texts<typeof en>`). */
export interface Areas {
  readonly base: typeof base;
  readonly mail: typeof mail;
  readonly compose: typeof compose;
  readonly settings: typeof settings;
  readonly admin: typeof admin;
  readonly signIn: typeof signIn;
}

/** What a catalogue of another language must have. */
export type Texts<T> = { readonly [K in keyof T]: string };
