import type { Texts } from '../areas.ts';
import type en from '../en/advice.ts';

export default {
  a1_0: 'Mit dieser Adresse stimmt etwas nicht. Prüfen Sie sie auf Tippfehler.',
  a1_1: 'Dieses Postfach gibt es nicht. Prüfen Sie den Teil vor dem @ auf Tippfehler, oder fragen Sie die Person auf anderem Weg nach der richtigen Adresse.',
  a1_2: 'Die Domain nach dem @ gibt es nicht, oder sie nimmt keine Post an. Prüfen Sie sie auf Tippfehler.',
  a1_3: 'Die Adresse ist nicht richtig geschrieben. Prüfen Sie sie auf Tippfehler.',
  a1_6: 'Die Person ist umgezogen und hat keine neue Adresse hinterlassen. Fragen Sie auf anderem Weg danach.',
  a1_7: 'Ihre eigene Adresse wurde als Absender nicht angenommen. Prüfen Sie die Adresse in Ihrem Mailprogramm, oder fragen Sie Ihren Verwalter.',
  a1_8: 'Der andere Server konnte die Domain Ihrer eigenen Adresse nicht prüfen. Ihr Verwalter sollte deren DNS-Einträge ansehen.',
  a1_10: 'Die Domain nach dem @ gibt an, gar keine Post anzunehmen. Prüfen Sie sie auf Tippfehler.',
  a2_0: 'Mit diesem Postfach stimmt etwas nicht. Sagen Sie es dem Inhaber auf anderem Weg.',
  a2_1: 'Das Postfach ist abgeschaltet. Sagen Sie es dem Inhaber auf anderem Weg.',
  a2_2: 'Das Postfach ist voll. Der Inhaber muss Platz schaffen, bevor Post ankommen kann.',
  a2_3: 'Die Nachricht ist grösser, als dieses Postfach annimmt. Senden Sie weniger, oder einen Link zu einer Datei.',
  a2_4: 'Die Mailingliste hat ein Problem, das ihr Inhaber lösen muss.',
  a3_1: 'Der andere Server hat keinen Speicherplatz mehr. Nur sein Verwalter kann das ändern.',
  a3_2: 'Der andere Server nimmt im Moment keine Post an.',
  a3_4: 'Die Nachricht ist grösser, als der andere Server annimmt. Senden Sie weniger, oder einen Link zu einer Datei.',
  a4_1: 'Der andere Server antwortete nicht. Der Fehler liegt dort oder auf dem Weg, nicht bei Ihnen.',
  a4_2: 'Die Verbindung zum anderen Server brach ab. Der Fehler liegt dort oder auf dem Weg, nicht bei Ihnen.',
  a4_3: 'Ein Verzeichnis, das für die Zustellung nötig ist, antwortete nicht.',
  a4_4: 'Für die Domain nach dem @ wurde kein Mailserver gefunden. Prüfen Sie sie auf Tippfehler.',
  a4_5: 'Der andere Server hat mehr Post zu verarbeiten, als er kann.',
  a4_6: 'Die Nachricht lief zwischen Servern im Kreis, wohl wegen Adressen, die aufeinander weiterleiten. Sagen Sie es dem Verwalter der Domain nach dem @.',
  a4_7: 'Die Nachricht konnte in der vorgesehenen Zeit nicht zugestellt werden. Der andere Server war nicht zu erreichen oder schob es immer wieder auf.',
  a6_1: 'Der andere Server nimmt diese Art Nachricht nicht an.',
  a6_3: 'Die Nachricht hat eine Form, die der andere Server nicht annehmen kann, und lässt sich nicht ohne Schaden ändern. Senden Sie sie als einfachen Text oder als Anhang.',
  a6_7: 'Eine Adresse dieser Nachricht hat Buchstaben ausserhalb von ASCII, und der andere Server kann damit nicht umgehen. Nehmen Sie eine einfache Adresse, falls es eine gibt.',
  a7_0: 'Die Nachricht wurde nach den Regeln des Servers abgewiesen. Mehr als seine Antwort wissen wir nicht.',
  a7_1: 'Sie dürfen nicht an diese Adresse senden, oder die Nachricht wurde nach den Regeln des Servers abgewiesen. Seine Antwort sagt vielleicht, warum.',
  a7_2: 'An diese Mailingliste dürfen nur Mitglieder schreiben.',
  a7_4: 'Die Nachricht verlangte einen Schutz, den der andere Server nicht bietet.',
  a7_10:
    'Eine verschlüsselte Verbindung war verlangt, aber nicht zu haben; darum wurde die Nachricht nicht gesendet.',
  a7_20:
    'Der andere Server verlangt unterschriebene Post (DKIM) und nahm die Unterschrift nicht an. Sagen Sie es Ihrem Verwalter.',
  a7_23:
    'Der andere Server nahm uns nicht als Absender für Ihre Domain an (SPF). Sagen Sie es Ihrem Verwalter.',
  a7_25: 'Der andere Server beanstandet den Namen unserer Adresse im DNS. Sagen Sie es Ihrem Verwalter.',
  a7_26:
    'Der andere Server konnte nicht prüfen, dass die Nachricht von Ihrer Domain ist (SPF, DKIM). Sagen Sie es Ihrem Verwalter.',
  a7_27:
    'Die Domain Ihrer eigenen Adresse nimmt keine Post an; darum nimmt der andere Server keine von ihr. Sagen Sie es Ihrem Verwalter.',
  a7_30:
    'Die Nachricht verlangte auf dem ganzen Weg eine verschlüsselte Verbindung, die der andere Server nicht bietet; darum wurde sie nicht gesendet.',
  a3: 'Der andere Server hat selbst ein Problem.',
  a4: 'Der andere Server war nicht richtig zu erreichen. Der Fehler liegt dort oder auf dem Weg, nicht bei Ihnen.',
  a5: 'Die beiden Server verstanden einander nicht. Sagen Sie es Ihrem Verwalter.',
  a6: 'Der andere Server kann mit der Form dieser Nachricht nicht umgehen.',
  UNKNOWN: 'Mehr ist über die Ursache nicht bekannt.',
  DELAYED: 'Das gibt sich oft von selbst.',
} satisfies Texts<typeof en>;
