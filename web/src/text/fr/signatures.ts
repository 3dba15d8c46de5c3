import type en from '../en/signatures.ts';
import type { Texts } from '../areas.ts';

export default {
  title: 'Signature',
  checking: 'La signature est en cours de vérification …',
  failed: 'La signature n’a pas pu être vérifiée pour l’instant.',
  offline: 'La signature pourra être vérifiée quand vous serez de nouveau en ligne.',
  again: 'Réessayer',
  trustedPgp: 'Signé par {address} avec la clé à laquelle vous faites confiance, sans modification.',
  trustedSmime: 'Signé par {address} avec le certificat auquel vous faites confiance, sans modification.',
  authority: 'Signé par {address} ({name}), sans modification. {issuer} répond du certificat.',
  domain: 'Signé par {address}, sans modification. La clé est celle que publie {domain}.',
  firstPgp:
    'La signature est bonne, mais la clé est arrivée avec ce message. Personne n’a confirmé qu’elle appartient à {address}.',
  firstSince:
    'Signé avec la même clé qu’auparavant (connue depuis le {date}). Personne n’a confirmé qu’elle appartient à {address}.',
  firstSmime:
    'La signature est bonne, mais {issuer}, qui a émis le certificat, n’est pas connu ici. Personne n’a confirmé qu’il appartient à {address}.',
  firstSelf:
    'La signature est bonne, mais le certificat se porte garant de lui-même, et n’importe qui peut en faire un. Personne n’a confirmé qu’il appartient à {address}.',
  changedPgp:
    'Attention : {address} utilisait une autre clé jusqu’ici. Demandez par un autre moyen, par téléphone par exemple, avant de vous fier à ce message.',
  changedSmime:
    'Attention : {address} utilisait un autre certificat jusqu’ici. Demandez par un autre moyen, par téléphone par exemple, avant de vous fier à ce message.',
  unknownPgp: 'Ce message est signé, mais la clé qui permet de le vérifier n’est pas connue ici.',
  unknownSmime: 'Ce message est signé, mais le certificat qui permet de le vérifier n’est pas joint.',
  broken:
    'Attention : la signature ne correspond pas. Le message a été modifié après avoir été signé, ou la signature est fausse.',
  other: 'Attention : ce message est signé par {signer}, et non par {address}.',
  several:
    'Attention : ce message ne nomme pas exactement un expéditeur ; personne ne peut dire de qui devrait être la signature.',
  oldHash: 'La signature ne vaut rien : elle a été faite par une méthode que l’on sait falsifier (SHA-1).',
  oldExpired: 'La signature ne vaut rien : la clé n’était pas valable quand elle a été faite.',
  oldRevoked: 'La signature ne vaut rien : son propriétaire a révoqué la clé.',
  oldWeak: 'La signature ne vaut rien : la clé est trop faible.',
  oldPurpose: 'La signature ne vaut rien : le certificat n’a pas été émis pour le courrier.',
  unreadable: 'Ce message est signé d’une manière qui ne peut pas être vérifiée ici.',
  partial: 'Seule une partie de ce message est signée. N’importe qui a pu ajouter le reste.',
  partSays: 'La partie signée : {sentence}',
  signedThen: 'La signature date déjà du {date}.',
  showSigned: 'Montrer seulement ce qui est signé',
  signedPart: 'Ce qui est signé',
  encryptedPgp:
    'Ce message est chiffré avec PGP et ce programme ne peut pas l’ouvrir. Enregistrez-le et ouvrez-le avec un programme qui possède votre clé, comme Thunderbird.',
  encryptedSmime:
    'Ce message est chiffré avec S/MIME et ce programme ne peut pas l’ouvrir. Enregistrez-le et ouvrez-le avec un programme qui possède votre certificat, comme Thunderbird ou Outlook.',
  saveMessage: 'Enregistrer le message',
  details: 'Détails',
  name: 'Nom',
  addresses: 'Adresses',
  issuer: 'Émis par',
  fingerprint: 'Empreinte',
  keyId: 'Clé',
  signedAt: 'Signé',
  since: 'Connue depuis',
  aboutPgp: 'La signature couvre le texte et les fichiers, mais pas l’objet, la date ni les destinataires.',
  aboutSmime:
    'La signature couvre le texte et les fichiers, mais pas l’objet, la date ni les destinataires. La révocation du certificat n’est pas vérifiée.',
  manage: 'Clés des autres',
  trustKey: 'Faire confiance à cette clé pour {address}',
  trustCertificate: 'Faire confiance à ce certificat pour {address}',
  trustTitle: 'Faire confiance pour {address} ?',
  trustPgp:
    'Comparez l’empreinte avec {address} par un autre moyen, par téléphone par exemple : {fingerprint}. Si elle est la même, les messages signés avec cette clé seront montrés comme signés par {address}.',
  trustSmime:
    'Comparez l’empreinte avec {address} par un autre moyen, par téléphone par exemple : {fingerprint}. Si elle est la même, les messages signés avec ce certificat seront montrés comme signés par {address}.',
  trustYes: 'C’est la même : faire confiance',
  trustedNow: 'La confiance est accordée pour {address}.',
  lookUp: 'Rechercher la clé',
  lookUpSentence:
    'La clé de {address} sera demandée à {domain}, qui apprendra que quelqu’un la demande ici, mais pas qui.',
  lookUpYes: 'Demander à {domain}',
  lookUpFound: '{domain} publie une clé pour {address}. Elle est conservée.',
  lookUpNone: '{domain} ne publie pas de clé pour {address}.',
  keysAbout:
    'Clés et certificats avec lesquels d’autres signent leurs messages. Ce que vous ajoutez vous-même est digne de confiance pour les adresses qui y figurent.',
  keysNone:
    'Aucune clé pour l’instant. Elles arrivent avec les messages signés, et vous pouvez en ajouter ici.',
  addTitle: 'Ajouter une clé',
  addFile: 'Depuis un fichier',
  addText: 'Ou collez-la ici',
  addTextHint: 'Elle commence par -----BEGIN PGP PUBLIC KEY BLOCK----- ou -----BEGIN CERTIFICATE-----.',
  add: 'Ajouter',
  added: '{count, plural, one {Une clé a été ajoutée.} other {# clés ont été ajoutées.}}',
  noKey: 'Il n’y a là ni clé ni certificat.',
  noAddress: 'La clé ne nomme aucune adresse à laquelle elle servirait.',
  tooLarge: 'C’est trop grand pour une clé.',
  findTitle: 'En rechercher une',
  findAddress: 'Adresse',
  findHint:
    'La clé est demandée au domaine de l’adresse (Web Key Directory), qui apprend que quelqu’un la demande ici.',
  find: 'Rechercher',
  licences: 'Bibliothèques et leurs licences',
  kindPgp: 'Clé PGP',
  kindSmime: 'Certificat',
  fromGiven: 'ajoutée par vous le {date}',
  fromDomain: 'publiée par le domaine, connue depuis le {date}',
  fromMail: 'venue avec un message, connue depuis le {date}',
  isTrusted: 'de confiance',
  trust: 'Faire confiance',
  distrust: 'Ne plus faire confiance',
  removeTitle: 'Supprimer la clé de {address} ?',
  removeSentence:
    'Les messages signés avec elle ne pourront plus être vérifiés, jusqu’à ce qu’elle revienne.',
  removeYes: 'Supprimer',
} satisfies Texts<typeof en>;
