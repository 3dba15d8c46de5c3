import type { Texts } from '../areas.ts';
import type en from '../en/why.ts';

export default {
  junkBecause: 'Le message a été mis dans les indésirables. Raison : {reason}',
  inboxBecause: 'Le message a été admis dans la boîte de réception. Raison : {reason}',
  inboxNothing:
    'Le message est dans la boîte de réception, car le filtre n’a rien trouvé de grave contre lui.',
  junkUnwanted: 'Le filtre tient ce message pour indésirable et l’a mis dans les indésirables.',
  junkAbove:
    'Le filtre tient ce message pour indésirable et l’a mis dans les indésirables. Surtout : {reason}',
  theRule: 'la règle {name}',
  writtenHere: 'Il a été écrit par {login}, qui a un compte ici.',
  noAuthor: 'Le message ne dit pas qui l’a écrit.',
  proven: 'Il vient vraiment de {domain} : c’est prouvé.',
  unproven:
    'Il dit venir de {address}, ce qui n’a pas pu être prouvé : quelqu’un d’autre l’a peut-être écrit.',
  notProven: 'Rien ne prouve qu’il vient vraiment de {address}.',
  ruleFiled: 'Votre règle « {rule} » l’a classé dans {mailbox}.',
  lineFiled: 'La ligne {line} de {script} l’a classé dans {mailbox}.',
  endFiled: 'La fin de {script} l’a classé dans {mailbox}.',
  sent: 'Vous l’avez envoyé vous-même, ou un programme qui s’est connecté en votre nom.',
  snoozed: 'Vous l’avez mis en attente : il reviendra au moment que vous avez choisi.',
  deleted: 'Vous l’avez supprimé ; il peut encore être récupéré.',
  woken: 'Vous l’aviez mis en attente, et le moment est venu.',
  moved: 'Il est arrivé dans {from} ; vous, ou l’un de vos programmes, l’avez déplacé vers {to}.',
  inbox: '« Boîte de réception »',
  mailbox: '« {name} »',
  masked: 'Il est arrivé à votre adresse masquée {address}.',
  maskedFor: 'Il est arrivé à votre adresse masquée {address}, que vous avez créée pour {site}.',
  maskedOff: 'Il est arrivé à votre adresse masquée {address}. Elle est désactivée depuis.',
  maskedForOff:
    'Il est arrivé à votre adresse masquée {address}, que vous avez créée pour {site}. Elle est désactivée depuis.',
  catchAll:
    'Il était pour {address}, que personne n’a ; vous recevez ce qui arrive par ailleurs à {catchAll}.',
  catchAllUnnamed:
    'Il était pour une adresse que personne n’a ; vous recevez ce qui arrive par ailleurs à {catchAll}.',
  leadsHere: 'Il a été envoyé à {address}, et cette adresse mène à vous.',
  delivered: 'Il a été remis à {to}.',
  failed: 'Il n’a pas pu être remis à {to}.',
  cameBack: 'Il est revenu de {to}.',
  draft: 'C’est un brouillon : vous, ou l’un de vos programmes, l’avez enregistré ici.',
  sentCopy: 'C’est une copie que l’un de vos programmes a déposée ici en envoyant le message.',
  sentCopyOld:
    'C’est une copie que l’un de vos programmes a déposée ici en envoyant le message, ou il est plus vieux que {days, plural, one {le jour} other {les # jours}} pendant lesquels l’historique est gardé.',
  putHere:
    'Il n’est pas arrivé par courrier : l’un de vos programmes l’a mis ici, ou il a été repris d’un autre serveur.',
  putHereOld:
    'Il n’est pas arrivé par courrier : l’un de vos programmes l’a mis ici, ou il a été repris d’un autre serveur, ou il est plus vieux que {days, plural, one {le jour} other {les # jours}} pendant lesquels l’historique est gardé.',
} satisfies Texts<typeof en>;
