import type en from '../en/signatures.ts';
import type { Texts } from '../areas.ts';

export default {
  title: 'Firma',
  checking: 'Se comprueba la firma …',
  failed: 'La firma no se ha podido comprobar en este momento.',
  offline: 'La firma podrá comprobarse cuando vuelva a tener conexión.',
  again: 'Intentar de nuevo',
  trustedPgp: 'Firmado por {address} con la clave en la que usted confía, y sin cambios.',
  trustedSmime: 'Firmado por {address} con el certificado en el que usted confía, y sin cambios.',
  authority: 'Firmado por {address} ({name}), y sin cambios. {issuer} responde del certificado.',
  domain: 'Firmado por {address}, y sin cambios. La clave es la que publica {domain}.',
  firstPgp:
    'La firma es correcta, pero la clave llegó con este mensaje. Nadie ha confirmado que pertenezca a {address}.',
  firstSince:
    'Firmado con la misma clave que antes (conocida desde el {date}). Nadie ha confirmado que pertenezca a {address}.',
  firstSmime:
    'La firma es correcta, pero {issuer}, que emitió el certificado, no se conoce aquí. Nadie ha confirmado que pertenezca a {address}.',
  firstSelf:
    'La firma es correcta, pero el certificado se avala a sí mismo, y cualquiera puede hacerse uno. Nadie ha confirmado que pertenezca a {address}.',
  changedPgp:
    'Cuidado: {address} usaba otra clave hasta ahora. Pregunte por otro medio, por ejemplo por teléfono, antes de fiarse de este mensaje.',
  changedSmime:
    'Cuidado: {address} usaba otro certificado hasta ahora. Pregunte por otro medio, por ejemplo por teléfono, antes de fiarse de este mensaje.',
  unknownPgp: 'Este mensaje está firmado, pero aquí no se conoce la clave para comprobarlo.',
  unknownSmime: 'Este mensaje está firmado, pero no trae el certificado para comprobarlo.',
  broken:
    'Cuidado: la firma no corresponde. El mensaje se cambió después de firmarlo, o la firma está falsificada.',
  other: 'Cuidado: este mensaje está firmado por {signer}, no por {address}.',
  several:
    'Cuidado: este mensaje no nombra exactamente un remitente; nadie puede decir de quién debería ser la firma.',
  oldHash: 'La firma no vale nada: se hizo con un método que hoy se puede falsificar (SHA-1).',
  oldExpired: 'La firma no vale nada: la clave no era válida cuando se hizo.',
  oldRevoked: 'La firma no vale nada: su dueño ha revocado la clave.',
  oldWeak: 'La firma no vale nada: la clave es demasiado débil.',
  oldPurpose: 'La firma no vale nada: el certificado no se emitió para correo electrónico.',
  unreadable: 'Este mensaje está firmado de una manera que no se puede comprobar aquí.',
  partial: 'Solo una parte de este mensaje está firmada. El resto pudo añadirlo cualquiera.',
  partSays: 'La parte firmada: {sentence}',
  signedThen: 'Se firmó ya el {date}.',
  showSigned: 'Mostrar solo lo firmado',
  signedPart: 'Lo que está firmado',
  encryptedPgp:
    'Este mensaje está cifrado con PGP y este programa no puede abrirlo. Guárdelo y ábralo con un programa que tenga su clave, como Thunderbird.',
  encryptedSmime:
    'Este mensaje está cifrado con S/MIME y este programa no puede abrirlo. Guárdelo y ábralo con un programa que tenga su certificado, como Thunderbird u Outlook.',
  saveMessage: 'Guardar el mensaje',
  details: 'Detalles',
  name: 'Nombre',
  addresses: 'Direcciones',
  issuer: 'Emitido por',
  fingerprint: 'Huella digital',
  keyId: 'Clave',
  signedAt: 'Firmado',
  since: 'Conocida desde',
  aboutPgp: 'La firma abarca el texto y los archivos, pero no el asunto, la fecha ni los destinatarios.',
  aboutSmime:
    'La firma abarca el texto y los archivos, pero no el asunto, la fecha ni los destinatarios. No se comprueba si el certificado ha sido revocado.',
  manage: 'Claves de otros',
  trustKey: 'Confiar en esta clave para {address}',
  trustCertificate: 'Confiar en este certificado para {address}',
  trustTitle: '¿Confiar para {address}?',
  trustPgp:
    'Compare la huella digital con {address} por otro medio, por ejemplo por teléfono: {fingerprint}. Si es la misma, los mensajes firmados con esta clave se mostrarán como firmados por {address}.',
  trustSmime:
    'Compare la huella digital con {address} por otro medio, por ejemplo por teléfono: {fingerprint}. Si es la misma, los mensajes firmados con este certificado se mostrarán como firmados por {address}.',
  trustYes: 'Es la misma: confiar',
  trustedNow: 'Ahora se confía para {address}.',
  lookUp: 'Buscar la clave',
  lookUpSentence:
    'Se pregunta a {domain} por la clave de {address}. Sabrá que alguien pregunta desde aquí, pero no quién.',
  lookUpYes: 'Preguntar a {domain}',
  lookUpFound: '{domain} publica una clave para {address}. Se ha guardado.',
  lookUpNone: '{domain} no publica ninguna clave para {address}.',
  keysAbout:
    'Claves y certificados con los que otros firman sus mensajes. En lo que usted mismo añade se confía para las direcciones que nombra.',
  keysNone: 'Todavía no hay claves. Llegan con los mensajes firmados, y aquí puede añadir algunas.',
  addTitle: 'Añadir una clave',
  addFile: 'Desde un archivo',
  addText: 'O péguela aquí',
  addTextHint: 'Empieza por -----BEGIN PGP PUBLIC KEY BLOCK----- o -----BEGIN CERTIFICATE-----.',
  add: 'Añadir',
  added: '{count, plural, one {Se ha añadido una clave.} other {Se han añadido # claves.}}',
  noKey: 'Ahí no hay ninguna clave ni certificado.',
  noAddress: 'La clave no nombra ninguna dirección para la que sirva.',
  tooLarge: 'Es demasiado grande para una clave.',
  findTitle: 'Buscar una',
  findAddress: 'Dirección',
  findHint:
    'Se pregunta al dominio de la dirección por su clave (Web Key Directory). Sabrá que alguien pregunta desde aquí.',
  find: 'Buscar',
  licences: 'Bibliotecas y sus licencias',
  kindPgp: 'Clave PGP',
  kindSmime: 'Certificado',
  fromGiven: 'añadida por usted el {date}',
  fromDomain: 'publicada por el dominio, conocida desde el {date}',
  fromMail: 'llegó con un mensaje, conocida desde el {date}',
  isTrusted: 'de confianza',
  trust: 'Confiar',
  distrust: 'Dejar de confiar',
  removeTitle: '¿Quitar la clave de {address}?',
  removeSentence: 'Los mensajes firmados con ella no se podrán comprobar hasta que vuelva a llegar.',
  removeYes: 'Quitarla',
} satisfies Texts<typeof en>;
