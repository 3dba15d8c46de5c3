import type { Texts } from '../areas.ts';
import type en from '../en/why.ts';

export default {
  junkBecause: 'Die Nachricht kam in den Spam-Ordner. Grund: {reason}',
  inboxBecause: 'Die Nachricht durfte in den Posteingang. Grund: {reason}',
  inboxNothing:
    'Die Nachricht liegt im Posteingang, weil der Spamfilter nichts fand, was stark gegen sie spricht.',
  junkUnwanted: 'Der Spamfilter hält die Nachricht für unerwünscht und hat sie in den Spam-Ordner gelegt.',
  junkAbove:
    'Der Spamfilter hält die Nachricht für unerwünscht und hat sie in den Spam-Ordner gelegt. Vor allem: {reason}',
  theRule: 'die Regel {name}',
  writtenHere: 'Geschrieben hat sie {login}; diese Person hat hier ein Konto.',
  noAuthor: 'Die Nachricht sagt nicht, wer sie geschrieben hat.',
  proven: 'Sie kommt wirklich von {domain}: Das ist bewiesen.',
  unproven:
    'Sie gibt an, von {address} zu kommen. Das liess sich nicht beweisen: Vielleicht hat sie jemand anders geschrieben.',
  notProven: 'Nichts beweist, dass sie wirklich von {address} kommt.',
  ruleFiled: 'Ihre Regel «{rule}» hat sie in {mailbox} abgelegt.',
  lineFiled: 'Zeile {line} von {script} hat sie in {mailbox} abgelegt.',
  endFiled: 'Das Ende von {script} hat sie in {mailbox} abgelegt.',
  sent: 'Sie haben sie selbst gesendet, oder ein Programm, das sich in Ihrem Namen angemeldet hat.',
  snoozed: 'Sie haben sie zurückgestellt: Sie kommt zu der Zeit wieder, die Sie gewählt haben.',
  deleted: 'Sie haben sie gelöscht; sie lässt sich noch wiederherstellen.',
  woken: 'Sie hatten sie zurückgestellt, und die Zeit ist gekommen.',
  moved: 'Sie kam in {from}; Sie oder eines Ihrer Programme haben sie nach {to} verschoben.',
  inbox: '«Posteingang»',
  mailbox: '«{name}»',
  masked: 'Sie kam an Ihre Tarnadresse {address}.',
  maskedFor: 'Sie kam an Ihre Tarnadresse {address}, die Sie für {site} angelegt haben.',
  maskedOff: 'Sie kam an Ihre Tarnadresse {address}. Diese ist inzwischen ausgeschaltet.',
  maskedForOff:
    'Sie kam an Ihre Tarnadresse {address}, die Sie für {site} angelegt haben. Diese ist inzwischen ausgeschaltet.',
  catchAll:
    'Sie war für {address}, eine Adresse, die niemand hat; Sie bekommen, was sonst an {catchAll} kommt.',
  catchAllUnnamed: 'Sie war für eine Adresse, die niemand hat; Sie bekommen, was sonst an {catchAll} kommt.',
  leadsHere: 'Sie ging an {address}, und diese Adresse führt zu Ihnen.',
  delivered: 'Sie wurde an {to} zugestellt.',
  failed: 'Sie konnte {to} nicht zugestellt werden.',
  cameBack: 'Sie kam von {to} zurück.',
  draft: 'Es ist ein Entwurf: Sie oder eines Ihrer Programme haben ihn hier gespeichert.',
  sentCopy: 'Es ist eine Kopie, die eines Ihrer Programme hier abgelegt hat, als es die Nachricht sendete.',
  sentCopyOld:
    'Es ist eine Kopie, die eines Ihrer Programme hier abgelegt hat, als es die Nachricht sendete, oder sie ist älter als die {days, plural, one {# Tag} other {# Tage}}, die der Verlauf aufbewahrt wird.',
  putHere:
    'Sie kam nicht mit der Post: Eines Ihrer Programme hat sie hier abgelegt, oder sie wurde von einem anderen Server übernommen.',
  putHereOld:
    'Sie kam nicht mit der Post: Eines Ihrer Programme hat sie hier abgelegt, oder sie wurde von einem anderen Server übernommen, oder sie ist älter als die {days, plural, one {# Tag} other {# Tage}}, die der Verlauf aufbewahrt wird.',
} satisfies Texts<typeof en>;
