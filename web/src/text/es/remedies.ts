import type { Texts } from '../areas.ts';
import type en from '../en/remedies.ts';

export default {
  seeScript: 'Ver el script: postern sieve show {account}',
  seeSuppression: 'Por qué no se envía nada más allí, si es así: postern suppression show {address}',
  suppressed: 'Ya no se envía nada allí: postern suppression show {address}',
  waitsUntilReleased: 'Espera hasta: postern queue release {id}',
  heldAccount:
    'Si era la persona: postern hold release {account}. Si no: postern account passwd {account}, y después postern hold release {account} --drop',
  releaseHeld:
    'Qué espera de la cuenta y qué hacer: postern hold list. Solo este mensaje: postern queue release {id}',
  releaseLater: 'Cuando pueda volver a salir correo: postern queue release {id}',
  banLift: 'Para terminarlo ahora: postern ban lift {subject}',
  intakeRetry: 'Para intentarlo ahora: postern intake retry {key}',
  intakeRetryMended: 'Cuando esté arreglado: postern intake retry {key}',
  intakeStatus: 'Qué va mal: postern intake status',
  intakeProblems: 'Para verlo: postern intake problems',
  certificateRenew: 'Cuando la causa esté arreglada: postern certificate renew {name}',
  certificateList: '«postern certificate list» dice por qué no hay uno nuevo',
  certificateFile: 'Ponga uno nuevo en {file}; se lee en menos de un minuto',
  diskRoom: 'Haga sitio, o ponga un disco mayor (docs/guides/housekeeping.md)',
  notJunk: 'Si es correo bueno, sáquelo de no deseado: el filtro aprende de ello.',
  notJunkAllow:
    'Si es correo bueno, sáquelo de no deseado: el filtro aprende de ello. Para aceptar siempre lo que venga de allí:\npostern filter allow {address}',
  notKept: 'No se conservó.',
  kept: 'Se conserva unos días. Para verlo y entregarlo a pesar de todo:\npostern vault show {case}\npostern vault release {case}',
  forgery:
    'Casi siempre es una falsificación y no hay nada que hacer. Si el remitente es auténtico, su administrador debe arreglar SPF o DKIM; hasta entonces añada {domain} a la lista dmarc.ignore (o, si es un reenviador o una lista de correo, su dominio a dmarc.forwarders), o acepte todo lo que venga de esa máquina:\npostern filter allow {ip}',
  thatDomain: 'ese dominio',
  siteList:
    'Lo quiso así un administrador. Para ver desde cuándo y por qué, y volver a aceptar ese correo:\npostern filter senders\npostern filter unlist {pattern}',
  attachments:
    'El sitio lo quiere así; el remitente puede enviar el archivo de otro modo. Lo que no se acepta:\npostern filter show attachments',
  virus:
    'Si conoce al remitente, dígaselo: su equipo puede estar infectado. Entréguelo solo si sabe que el antivirus se equivoca.',
  goodMail: 'Si es correo bueno, entréguelo: el filtro aprende de ello.',
  goodMailAllow:
    'Para aceptar siempre el correo de esa máquina, o poner en no deseado lo que se rechazaría:\npostern filter allow {ip}\npostern filter set refuse never',
  milters: 'Lo decidió un filtro junto a este servidor:\npostern filter show milters',
  filterDown:
    'Ese filtro no responde: inícielo. El remitente vuelve por sí mismo. Para aceptar correo sin él mientras tanto, ponga su failure en ignore:\npostern filter show',
  dnsSilent:
    'El remitente vuelve por sí mismo. Si dura, hay que reparar los servidores de nombres de {domain} o los nuestros. Para aceptar ese correo sin pruebas, añada el dominio a la lista dmarc.ignore.',
  allowClient: 'Para aceptar de todos modos el correo de allí:\npostern filter allow {ip}',
  scoreOnly: 'Para solo puntuarlo y no rechazar a nadie:\npostern filter set {setting} score',
  listed:
    'Una de sus listas DNS tiene al remitente, y usted la puso para rechazar. Quien gestione ese servidor debe hacer que lo retiren. Para que la lista solo puntúe, ponga su «refuse» en false (postern filter show lists).',
  needsName: 'El proveedor del remitente debe dar a la dirección un nombre (PTR) que conduzca a ella.',
  needsHelo: 'El servidor del remitente debe decir su nombre completo en HELO.',
  needsAddress: 'El remitente debe usar una dirección a la que se pueda responder.',
  tooManyMessages:
    'La red envió más de lo que permite messages_per_hour; vuelve por sí misma. Para permitir más (0: sin límite):\npostern filter set messages_per_hour NUMBER',
  greylisted:
    'No pasa nada: el servidor del remitente vuelve por sí mismo, y entonces se acepta el correo. Si no vuelve, no era un servidor de correo. Para no hacer esperar a nadie:\npostern filter set greylist.mode off',
  guessing:
    'Alguien prueba direcciones, o tiene una lista muy antigua. Si es un remitente conocido, permita más (0: cualquier número):\npostern filter set tarpit_after NUMBER',
  scannerEarly: 'Ningún servidor de correo hace esto: era un escáner o un programa de spam.',
  makeAddress:
    'Si la dirección debe existir, créela: postern account add {address}, o postern alias add {address} TARGET.',
  lookupCheck:
    '«postern lookup check» dice qué tabla y por qué; el remitente reintenta, así que no se pierde nada si se arregla pronto.',
  noRelay:
    'Solo aceptamos correo de nuestros propios dominios. Si {domain} debe ser uno: postern domain add {domain}. Si era un usuario nuestro, su programa debe iniciar sesión y usar el puerto 465 o 587.',
  theDomain: 'el dominio',
  mailboxFull: 'Elimine correo allí, o permita más: postern account quota {address} 5G.',
  aliasLoop:
    'Hay direcciones que se reenvían en círculo: revise «postern alias list», aquí y en el otro extremo.',
  grantAddress:
    'Si la cuenta puede usar esa dirección: postern account grant {login} ADDRESS (o, donde decida una tabla, una regla allí).',
  sendLimit:
    'El límite protege de contraseñas robadas. Si no era la persona: postern account suspend {login}. Si lo era, espere, o suba el límite en postern.toml.',
  banned:
    'Vea «postern ban list». Si es uno de los suyos: postern ban lift con lo que figura allí; para una red suya: postern ban exempt add NETWORK.',
  bannedAccount:
    'Alguien adivina la contraseña desde muchos lugares; los que la cuenta conoce no se ven afectados. Para admitir nuevos ya: postern ban lift {login}.',
  suspended: 'Volver a admitirla: postern account resume {login}.',
  newPassword:
    'Si era la persona, ponga una contraseña nueva: postern account passwd {login}. Si no, alguien adivina y fue rechazado.',
  wholeAddress:
    'Inicie sesión con la dirección completa. Si no fue ninguno de los suyos, alguien adivina y fue rechazado.',
  turnTlsOn: 'Active el cifrado en el programa de correo (STARTTLS en el puerto 587, o TLS en el 465).',
  turnAuthOn: 'Active la autenticación en el programa de correo: la dirección completa y su contraseña.',
  tooLarge:
    'El límite está en postern.toml (limits); la mayoría de servidores tampoco acepta más de 25 a 50 MB.',
  makeRoom: 'Haga sitio en el disco: «postern status» dice cuánto queda libre.',
  tooMany:
    'Los remitentes vuelven por sí mismos. Si una red suya llega a este límite, súbalo en postern.toml.',
  scanner:
    'Ningún servidor de correo hace esto: era un escáner o un programa de spam. No hay nada que hacer.',
  brokenProgram:
    'El programa incumple las reglas de SMTP de un modo inadmisible; su fabricante debe arreglarlo.',
  noCommonTls:
    'Los dos lados no encontraron un cifrado común, o al cliente no le gustó el certificado: vea «postern status».',
  silent: 'El otro lado se quedó callado. Volverá si tiene algo que decir.',
  ourFailure: 'Fue un fallo nuestro: el registro del servidor tiene los detalles a esa hora.',
  onSuppression:
    'No se envió nada, para no dañar nuestra reputación. Cuando la dirección vuelva a funcionar: postern suppression remove {address}',
  theirGreylist: 'Habitual en un primer contacto (lista gris): el próximo intento pasará muy probablemente.',
  ourDns: 'Compare lo que dice su DNS con lo que debería decir: postern domain records DOMAIN.',
  weAreListed:
    'Nuestra dirección está en una lista de remitentes de spam: vea adónde remite la respuesta, arregle la causa y pida que la quiten.',
  theirCertificate:
    'Se exigía cifrado, y el otro lado no tiene un certificado válido para su nombre: su administrador (o, para un relé, relay.host en postern.toml) debe arreglarlo.',
  port25:
    'Si ocurre con todos los dominios, su proveedor bloquea el puerto 25 de salida: pida que lo abra, o envíe por un relé.',
  noDns:
    'Este servidor no consulta el DNS, como en la prueba: solo puede enviar por un relé (--relay HOST:PORT).',
  resolver: 'El servidor de nombres no respondió: revise /etc/resolv.conf en esta máquina.',
  domainTypo: 'Compruebe la parte tras la @.',
  addressTypo: 'La dirección no existe allí: compruébela.',
} satisfies Texts<typeof en>;
