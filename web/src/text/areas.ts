import type admin from './en/admin.ts';
import type base from './en/base.ts';
import type compose from './en/compose.ts';
import type mail from './en/mail.ts';
import type settings from './en/settings.ts';
import type signIn from './en/signIn.ts';
import type advice from './en/advice.ts';
import type events from './en/events.ts';
import type problems from './en/problems.ts';
import type remedies from './en/remedies.ts';
import type audit from './en/audit.ts';
import type checks from './en/checks.ts';
import type health from './en/health.ts';
import type settingsAbout from './en/settingsAbout.ts';
import type rules from './en/rules.ts';
import type setup from './en/setup.ts';
import type ways from './en/ways.ts';
import type why from './en/why.ts';
import type signatures from './en/signatures.ts';

/** Every catalogue. English decides which texts there are; the others must have the same (`satisfies Texts<typeof en>`). */
export interface Areas {
  readonly base: typeof base;
  readonly mail: typeof mail;
  readonly compose: typeof compose;
  readonly settings: typeof settings;
  readonly admin: typeof admin;
  readonly signIn: typeof signIn;
  /** Sentences of the server, by their codes (text/said.ts). */
  readonly why: typeof why;
  readonly rules: typeof rules;
  readonly events: typeof events;
  readonly remedies: typeof remedies;
  readonly advice: typeof advice;
  readonly problems: typeof problems;
  readonly setup: typeof setup;
  readonly checks: typeof checks;
  readonly health: typeof health;
  readonly audit: typeof audit;
  readonly ways: typeof ways;
  readonly settingsAbout: typeof settingsAbout;
  readonly signatures: typeof signatures;
}

/** What a catalogue of another language must have. */
export type Texts<T> = { readonly [K in keyof T]: string };
