import type en from '../en/signatures.ts';
import type { Texts } from '../areas.ts';

export default {
  title: 'Unterschrift',
  checking: 'Die Unterschrift wird geprüft …',
  failed: 'Die Unterschrift konnte gerade nicht geprüft werden.',
  offline: 'Die Unterschrift kann geprüft werden, sobald Sie wieder online sind.',
  again: 'Nochmals versuchen',
  trustedPgp: 'Unterschrieben von {address} mit dem Schlüssel, dem Sie vertrauen, und unverändert.',
  trustedSmime: 'Unterschrieben von {address} mit dem Zertifikat, dem Sie vertrauen, und unverändert.',
  authority: 'Unterschrieben von {address} ({name}) und unverändert. Für das Zertifikat steht {issuer} ein.',
  domain: 'Unterschrieben von {address} und unverändert. Der Schlüssel ist der, den {domain} veröffentlicht.',
  firstPgp:
    'Die Unterschrift passt, aber der Schlüssel kam erst mit dieser Nachricht. Dass er {address} gehört, hat niemand bestätigt.',
  firstSince:
    'Unterschrieben mit demselben Schlüssel wie bisher (bekannt seit {date}). Dass er {address} gehört, hat niemand bestätigt.',
  firstSmime:
    'Die Unterschrift passt, aber {issuer}, von dem das Zertifikat stammt, ist hier nicht bekannt. Dass es {address} gehört, hat niemand bestätigt.',
  firstSelf:
    'Die Unterschrift passt, aber das Zertifikat bürgt für sich selbst, und so eines kann sich jeder machen. Dass es {address} gehört, hat niemand bestätigt.',
  changedPgp:
    'Vorsicht: {address} hat bisher einen anderen Schlüssel verwendet. Fragen Sie auf anderem Weg nach, zum Beispiel am Telefon, bevor Sie dieser Nachricht trauen.',
  changedSmime:
    'Vorsicht: {address} hat bisher ein anderes Zertifikat verwendet. Fragen Sie auf anderem Weg nach, zum Beispiel am Telefon, bevor Sie dieser Nachricht trauen.',
  unknownPgp: 'Diese Nachricht ist unterschrieben, aber der Schlüssel zum Prüfen ist hier nicht bekannt.',
  unknownSmime: 'Diese Nachricht ist unterschrieben, aber das Zertifikat zum Prüfen kam nicht mit.',
  broken:
    'Vorsicht: Die Unterschrift passt nicht. Die Nachricht wurde nach dem Unterschreiben verändert, oder die Unterschrift ist gefälscht.',
  other: 'Vorsicht: Diese Nachricht ist von {signer} unterschrieben, nicht von {address}.',
  several:
    'Vorsicht: Diese Nachricht nennt nicht genau einen Absender. Niemand kann sagen, wessen Unterschrift das sein sollte.',
  oldHash:
    'Die Unterschrift ist nichts wert: Sie entstand mit einem Verfahren, das sich heute fälschen lässt (SHA-1).',
  oldExpired: 'Die Unterschrift ist nichts wert: Der Schlüssel war nicht gültig, als sie entstand.',
  oldRevoked: 'Die Unterschrift ist nichts wert: Der Besitzer hat den Schlüssel widerrufen.',
  oldWeak: 'Die Unterschrift ist nichts wert: Der Schlüssel ist zu schwach.',
  oldPurpose: 'Die Unterschrift ist nichts wert: Das Zertifikat wurde nicht für E-Mail ausgestellt.',
  unreadable: 'Diese Nachricht ist auf eine Weise unterschrieben, die hier nicht geprüft werden kann.',
  partial: 'Nur ein Teil dieser Nachricht ist unterschrieben. Den Rest kann jeder hinzugefügt haben.',
  partSays: 'Der unterschriebene Teil: {sentence}',
  signedThen: 'Unterschrieben wurde schon am {date}.',
  showSigned: 'Nur das Unterschriebene zeigen',
  signedPart: 'Was unterschrieben ist',
  encryptedPgp:
    'Diese Nachricht ist mit PGP verschlüsselt, und dieses Programm kann sie nicht öffnen. Speichern Sie sie und öffnen Sie sie mit einem Programm, das Ihren Schlüssel hat, etwa Thunderbird.',
  encryptedSmime:
    'Diese Nachricht ist mit S/MIME verschlüsselt, und dieses Programm kann sie nicht öffnen. Speichern Sie sie und öffnen Sie sie mit einem Programm, das Ihr Zertifikat hat, etwa Thunderbird oder Outlook.',
  saveMessage: 'Nachricht speichern',
  details: 'Einzelheiten',
  name: 'Name',
  addresses: 'Adressen',
  issuer: 'Ausgestellt von',
  fingerprint: 'Fingerabdruck',
  keyId: 'Schlüssel',
  signedAt: 'Unterschrieben',
  since: 'Bekannt seit',
  aboutPgp: 'Die Unterschrift umfasst den Text und die Dateien, nicht aber Betreff, Datum und Empfänger.',
  aboutSmime:
    'Die Unterschrift umfasst den Text und die Dateien, nicht aber Betreff, Datum und Empfänger. Ob das Zertifikat widerrufen wurde, wird nicht geprüft.',
  manage: 'Schlüssel von anderen',
  trustKey: 'Diesem Schlüssel für {address} vertrauen',
  trustCertificate: 'Diesem Zertifikat für {address} vertrauen',
  trustTitle: 'Für {address} vertrauen?',
  trustPgp:
    'Vergleichen Sie den Fingerabdruck mit {address} auf anderem Weg, zum Beispiel am Telefon: {fingerprint}. Ist er gleich, werden Nachrichten mit diesem Schlüssel als von {address} unterschrieben gezeigt.',
  trustSmime:
    'Vergleichen Sie den Fingerabdruck mit {address} auf anderem Weg, zum Beispiel am Telefon: {fingerprint}. Ist er gleich, werden Nachrichten mit diesem Zertifikat als von {address} unterschrieben gezeigt.',
  trustYes: 'Er ist gleich: vertrauen',
  trustedNow: 'Für {address} wird ihm jetzt vertraut.',
  lookUp: 'Schlüssel nachschlagen',
  lookUpSentence:
    '{domain} wird nach dem Schlüssel von {address} gefragt. Dort erfährt man, dass hier jemand fragt, aber nicht wer.',
  lookUpYes: '{domain} fragen',
  lookUpFound: '{domain} veröffentlicht einen Schlüssel für {address}. Er ist gespeichert.',
  lookUpNone: '{domain} veröffentlicht keinen Schlüssel für {address}.',
  keysAbout:
    'Schlüssel und Zertifikate, mit denen andere ihre Nachrichten unterschreiben. Was Sie selbst hinzufügen, gilt für die Adressen, die es nennt, als vertrauenswürdig.',
  keysNone:
    'Noch keine Schlüssel. Sie kommen mit unterschriebenen Nachrichten, und hier können Sie welche hinzufügen.',
  addTitle: 'Schlüssel hinzufügen',
  addFile: 'Aus einer Datei',
  addText: 'Oder hier einfügen',
  addTextHint: 'Er beginnt mit -----BEGIN PGP PUBLIC KEY BLOCK----- oder -----BEGIN CERTIFICATE-----.',
  add: 'Hinzufügen',
  added: '{count, plural, one {Ein Schlüssel wurde hinzugefügt.} other {# Schlüssel wurden hinzugefügt.}}',
  noKey: 'Darin ist kein Schlüssel und kein Zertifikat.',
  noAddress: 'Der Schlüssel nennt keine Adresse, für die er wäre.',
  tooLarge: 'Für einen Schlüssel ist das zu gross.',
  findTitle: 'Einen nachschlagen',
  findAddress: 'Adresse',
  findHint:
    'Die Domain der Adresse wird nach dem Schlüssel gefragt (Web Key Directory). Dort erfährt man, dass hier jemand fragt.',
  find: 'Nachschlagen',
  licences: 'Bibliotheken und ihre Lizenzen',
  kindPgp: 'PGP-Schlüssel',
  kindSmime: 'Zertifikat',
  fromGiven: 'von Ihnen am {date} hinzugefügt',
  fromDomain: 'von der Domain veröffentlicht, bekannt seit {date}',
  fromMail: 'kam mit einer Nachricht, bekannt seit {date}',
  isTrusted: 'vertraut',
  trust: 'Vertrauen',
  distrust: 'Nicht mehr vertrauen',
  removeTitle: 'Den Schlüssel von {address} entfernen?',
  removeSentence: 'Damit unterschriebene Nachrichten lassen sich nicht mehr prüfen, bis er wieder kommt.',
  removeYes: 'Entfernen',
} satisfies Texts<typeof en>;
