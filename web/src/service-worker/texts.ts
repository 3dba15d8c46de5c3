/** What notices say: the worker has no catalogues of the app at hand. */

interface Texts {
  readonly newMail: string;
  readonly newMails: string;
  readonly noSubject: string;
}

const TEXTS: Readonly<Record<string, Texts>> = {
  en: { newMail: 'New mail', newMails: '{count} new messages', noSubject: '(no subject)' },
  de: { newMail: 'Neue Mail', newMails: '{count} neue Nachrichten', noSubject: '(kein Betreff)' },
  fr: { newMail: 'Nouveau courrier', newMails: '{count} nouveaux messages', noSubject: '(sans objet)' },
  es: { newMail: 'Correo nuevo', newMails: '{count} mensajes nuevos', noSubject: '(sin asunto)' },
  zh: { newMail: '新邮件', newMails: '{count} 封新邮件', noSubject: '（无主题）' },
};

export function textsFor(language: string): Texts {
  return TEXTS[language.slice(0, 2)] ?? (TEXTS['en'] as Texts);
}
