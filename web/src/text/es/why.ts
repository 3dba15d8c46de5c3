import type { Texts } from '../areas.ts';
import type en from '../en/why.ts';

export default {
  junkBecause: 'El mensaje se puso en el correo no deseado. Motivo: {reason}',
  inboxBecause: 'El mensaje se admitió en la bandeja de entrada. Motivo: {reason}',
  inboxNothing:
    'El mensaje está en la bandeja de entrada porque el filtro no encontró nada grave en su contra.',
  junkUnwanted: 'El filtro considera que el mensaje es no deseado y lo puso en esa carpeta.',
  junkAbove:
    'El filtro considera que el mensaje es no deseado y lo puso en esa carpeta. Sobre todo: {reason}',
  theRule: 'la regla {name}',
  writtenHere: 'Lo escribió {login}, que tiene una cuenta aquí.',
  noAuthor: 'El mensaje no dice quién lo escribió.',
  proven: 'Viene realmente de {domain}: está demostrado.',
  unproven: 'Dice venir de {address}, pero no se pudo demostrar: puede haberlo escrito otra persona.',
  notProven: 'Nada demuestra que venga realmente de {address}.',
  ruleFiled: 'Su regla «{rule}» lo puso en {mailbox}.',
  lineFiled: 'La línea {line} de {script} lo puso en {mailbox}.',
  endFiled: 'El final de {script} lo puso en {mailbox}.',
  sent: 'Lo envió usted, o un programa que inició sesión en su nombre.',
  snoozed: 'Usted lo pospuso: volverá en el momento que eligió.',
  deleted: 'Usted lo eliminó; todavía se puede recuperar.',
  woken: 'Usted lo había pospuesto y ha llegado el momento.',
  moved: 'Llegó a {from}; usted, o uno de sus programas, lo movió a {to}.',
  inbox: '«Bandeja de entrada»',
  mailbox: '«{name}»',
  masked: 'Llegó a su dirección enmascarada {address}.',
  maskedFor: 'Llegó a su dirección enmascarada {address}, que creó para {site}.',
  maskedOff: 'Llegó a su dirección enmascarada {address}. Ya está desactivada.',
  maskedForOff: 'Llegó a su dirección enmascarada {address}, que creó para {site}. Ya está desactivada.',
  catchAll: 'Era para {address}, que nadie tiene; usted recibe lo demás que llega a {catchAll}.',
  catchAllUnnamed: 'Era para una dirección que nadie tiene; usted recibe lo demás que llega a {catchAll}.',
  leadsHere: 'Se envió a {address}, y esa dirección lleva hasta usted.',
  delivered: 'Se entregó a {to}.',
  failed: 'No se pudo entregar a {to}.',
  cameBack: 'Volvió de {to}.',
  draft: 'Es un borrador: usted, o uno de sus programas, lo guardó aquí.',
  sentCopy: 'Es una copia que uno de sus programas puso aquí al enviar el mensaje.',
  sentCopyOld:
    'Es una copia que uno de sus programas puso aquí al enviar el mensaje, o es más antiguo que {days, plural, one {el día} other {los # días}} que se guarda el historial.',
  putHere: 'No llegó por correo: uno de sus programas lo puso aquí, o se trajo de otro servidor.',
  putHereOld:
    'No llegó por correo: uno de sus programas lo puso aquí, o se trajo de otro servidor, o es más antiguo que {days, plural, one {el día} other {los # días}} que se guarda el historial.',
} satisfies Texts<typeof en>;
