import type en from '../en/signIn.ts';
import type { Texts } from '../areas.ts';

export default {
  signInTo: 'Bei {server} anmelden',
  signInLead: 'Ihre Mail lesen und schreiben.',
  sessionEnded:
    'Ihre Sitzung ist beendet. Melden Sie sich an, um weiterzumachen: Eine Nachricht, an der Sie schrieben, ist noch da.',
  address: 'Adresse',
  password: 'Passwort',
  showPassword: 'Passwort anzeigen',
  hidePassword: 'Passwort verbergen',
  remember: 'Auf diesem Gerät zwei Wochen angemeldet bleiben',
  signIn: 'Anmelden',
  signingIn: 'Anmeldung läuft …',
  or: 'oder',
  withPasskey: 'Mit einem Passkey anmelden',
  addressMissing: 'Geben Sie Ihre Adresse ein, zum Beispiel sie@example.org.',
  passwordMissing: 'Geben Sie Ihr Passwort ein.',
  wrong:
    'Diese Adresse und dieses Passwort gehören nicht zusammen. Prüfen Sie beide und versuchen Sie es nochmals.',
  locked: 'Es gab zu viele Versuche. Warten Sie einige Minuten und versuchen Sie es dann nochmals.',
  lockedFor:
    'Es gab zu viele Versuche. Versuchen Sie es in {minutes, plural, one {# Minute} other {# Minuten}} nochmals.',
  unreachable: 'Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es nochmals.',
  passkeyFailed: 'Der Passkey hat nicht funktioniert: {message}',
  passkeyUnknown: 'Dieser Passkey ist hier nicht bekannt. Melden Sie sich mit dem Passwort an.',
  cancelled: 'Es wurde nichts gewählt. Versuchen Sie es nochmals oder nehmen Sie einen anderen Weg.',
  secondFactor: 'Bestätigen Sie, dass Sie es sind',
  secondFactorLead: 'Das Passwort stimmt. {address} hat zusätzlich einen zweiten Faktor.',
  totpLead: 'Geben Sie die 6 Ziffern ein, die Ihre Authenticator-App jetzt anzeigt.',
  totpCode: 'Code',
  totpShort: 'Der Code hat 6 Ziffern.',
  recoveryLead:
    'Geben Sie einen der Wiederherstellungscodes ein, die Sie aufbewahrt haben. Jeder gilt einmal.',
  recoveryCode: 'Wiederherstellungscode',
  recoveryMissing: 'Geben Sie einen Wiederherstellungscode ein.',
  codeWrong:
    'Dieser Code stimmt nicht. Codes einer App wechseln alle 30 Sekunden: Geben Sie den jetzt angezeigten ein.',
  recoveryWrong: 'Dieser Wiederherstellungscode stimmt nicht oder wurde schon benutzt.',
  passkeyLead: 'Bestätigen Sie mit Ihrem Passkey: Fingerabdruck, Gesicht, PIN oder Sicherheitsschlüssel.',
  usePasskey: 'Passkey verwenden',
  useTotp: 'Code der App verwenden',
  useRecovery: 'Wiederherstellungscode verwenden',
  confirm: 'Bestätigen',
  startAgain: 'Als jemand anderes anmelden',
  expired:
    'Es hat zu lange gedauert, oder der Server wurde neu gestartet. Beginnen Sie noch einmal mit Ihrem Passwort.',
  language: 'Sprache',
  consentTitle: '{client} bittet um Zugriff',
  consentLead: 'Angemeldet als {address}. Wenn Sie es erlauben, kann {client}:',
  scopeMail: 'Ihre Mail lesen, ändern und löschen',
  scopeSend: 'in Ihrem Namen Mail senden',
  scopeSettings: 'Ihre Filter, Ihre Abwesenheitsantwort und Ihre Identitäten ändern',
  scopeAdmin: 'diesen Mailserver verwalten, soweit Sie es dürfen',
  consentBack: 'Danach kehren Sie zu {place} zurück.',
  consentUnverified:
    'Jeder kann einem Programm jeden Namen geben. Erlauben Sie dies nur, wenn Sie es gerade selbst begonnen haben.',
  consentNever:
    'Ihr Passwort erfährt das Programm nie. Sie können den Zugriff jederzeit in den Einstellungen unter Sicherheit zurücknehmen.',
  consentPassword: 'Ihr Passwort, nochmals',
  consentPasswordHint:
    'Ihre Anmeldung ist eine Weile her. Ein 6-stelliger Code Ihrer Authenticator-App geht auch.',
  allow: 'Erlauben',
  deny: 'Nicht erlauben',
  consentGone:
    'Diese Anfrage ist nicht mehr bekannt. Gehen Sie zum Programm zurück und beginnen Sie von vorn.',
  invitationTitle: 'Ihr neues Postfach',
  invitationFor: 'Sie sind zum Postfach {address} eingeladen. Wählen Sie ein Passwort, und es gehört Ihnen.',
  invitationIn:
    'Sie sind zu einem Postfach bei {domain} eingeladen. Wählen Sie seinen Namen und ein Passwort.',
  invitationUntil: 'Die Einladung gilt bis {date}.',
  invitationGone:
    'Diese Einladung gilt nicht: Sie wurde benutzt, ist abgelaufen, oder ihr Link ist unvollständig. Bitten Sie den Absender um eine neue.',
  localPart: 'Name vor dem @',
  localPartHint: 'Ihre Adresse: {address}',
  localPartMissing: 'Wählen Sie den Namen vor dem @: Buchstaben, Ziffern, Punkte, Bindestriche.',
  yourName: 'Ihr Name',
  yourNameHint: 'So, wie ihn die Empfänger Ihrer Mail sehen.',
  newPassword: 'Wählen Sie ein Passwort',
  newPasswordHint: 'Mindestens {least} Zeichen. Gut sind vier Wörter, die nichts miteinander zu tun haben.',
  passwordShort: 'Das Passwort braucht mindestens {least} Zeichen.',
  createMailbox: 'Postfach anlegen',
  setupTitle: 'Ihren Mailserver einrichten',
  setupLead:
    'Dies ist der erste Start von {hostname}. Nennen Sie Ihre Domain und legen Sie das Konto an, das den Server verwaltet.',
  setupToken: 'Einrichtungscode',
  setupTokenHint:
    'Der Server hat ihn beim Start in sein Protokoll und ins Terminal geschrieben, am Ende des Einrichtungslinks.',
  setupGone: 'Der Server ist schon eingerichtet, oder dieser Link ist nicht der vom letzten Start.',
  domain: 'Domain',
  domainHint: 'Der Teil Ihrer Adressen nach dem @, zum Beispiel example.org. Sie muss Ihnen gehören.',
  domainMissing: 'Geben Sie eine Domain wie example.org ein.',
  adminName: 'Ihre Adresse',
  adminNameHint: 'Sie melden sich mit {address} an.',
  setupStart: 'Anlegen und weiter',
  toSignIn: 'Zur Anmeldung',
  brand: 'Postern-Mailserver',
} satisfies Texts<typeof en>;
