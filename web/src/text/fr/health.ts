import type { Texts } from '../areas.ts';
import type en from '../en/health.ts';

export default {
  quotaNearly: 'La boîte de {address} est presque pleine.',
  quotaMend: 'Donnez-lui plus de place, ou demandez à son propriétaire de faire le ménage.',
  noDomain: 'Il n’y a pas encore de domaine : on ne peut écrire à personne.',
  noDomainMend: 'Suivez la mise en place, ou tapez « postern domain add DOMAIN ».',
  journal: 'Les événements ne peuvent être enregistrés : {reason}',
  journalMend: 'Regardez le disque et le journal du serveur.',
  store: 'Le dépôt a dû être rouvert {count} fois depuis le démarrage.',
  storeMend: 'Cherchez la raison dans le journal du serveur.',
  diskLow: 'Le disque est presque plein : le nouveau courrier est différé.',
  diskMend: 'Faites de la place, ou mettez un disque plus grand.',
  lookup: 'La table de correspondance {name} est inutilisable : {reason}',
  refusesWay: '{host} refuse ce qui passe par {way} ({reason}).',
  everyHost: 'Tout serveur',
  filterDown: 'Le filtre {name} ne répond pas : {reason}',
  noImap: 'Personne ne peut lire par IMAP : il n’y a pas de certificat, ou pas de port.',
  queueSize: '{count} destinataires attendent dans la file.',
  queueAge: 'Du courrier attend dans la file depuis {span}.',
  destination:
    'Le courrier vers {domain} n’arrive pas : dans la dernière heure, {failed} destinataires ont été refusés, {waiting} attendent, {delivered} l’ont reçu.',
  itSays: 'Le serveur dit : {reply}',
  certificateEnded: 'Le certificat de {name} a expiré : les logiciels refusent de se connecter.',
  certificateEnds: 'Le certificat de {name} expire dans {span}.',
  diskFull: 'Le disque est presque plein ({megabytes} Mo libres) : le nouveau courrier est différé.',
  diskFills:
    'Le disque se remplit : {megabytes} Mo sont libres ; en dessous de {reserve} Mo, le nouveau courrier est différé.',
  dnsListed: 'Une de nos adresses est sur une liste DNS : les autres refusent notre courrier.',
  attack: 'Quelqu’un devine des mots de passe : {count} connexions échouées en dix minutes.',
  hold: 'Ce que {account} envoie est retenu. Raison : {reason}.',
  holdStolen: 'Son mot de passe est peut-être volé.',
  backupNone: 'Il n’y a pas de bonne sauvegarde, depuis {span}.',
  backupOld: 'La dernière bonne sauvegarde a {span}.',
  backupFailed: 'Le dernier essai a échoué : {reason}',
  drill: 'À l’essai, une sauvegarde n’a pas pu être restaurée : {reason}',
  intake: 'Du courrier qu’Amazon SES a reçu pour nous attend depuis trop longtemps : {span}.',
  alertTest: 'Voici à quoi ressemblerait une alerte. Tout va bien.',
  sendsAsNeither: '{who} envoie au nom de {domain} sans DKIM et hors SPF depuis le {day}.',
  sendsAsNoDkim: '{who} envoie au nom de {domain} sans DKIM depuis le {day}.',
  sendsAsNoSpf: '{who} envoie au nom de {domain} hors SPF depuis le {day}.',
  sendsAsPartly: '{who} envoie au nom de {domain} en partie sans DKIM ou hors SPF depuis le {day}.',
  thisServer: 'Ce serveur ({ip})',
  unencrypted:
    '{count} connexions d’autres vers {host} n’étaient pas chiffrées comme il faut, depuis le {day} ({type}).',
  complained: '{count} personnes se sont plaintes du courrier de {account}.',
  complainedMend:
    'Demandez à qui ce compte écrit, et si ces gens l’ont voulu ; retenez-le si son mot de passe a pu être volé.',
  noReports: 'Personne n’a envoyé de rapport DMARC sur {domain} pendant ce temps.',
  noReportsMend:
    'Vérifiez avec « postern domain records {domain} » que l’enregistrement DMARC demande des rapports (rua) ; un domaine qui n’envoie guère n’en reçoit pas.',
  signatureOnly:
    'Passe par sa seule signature : courrier transféré, ou un expéditeur à vous qui manque dans le SPF de {domain} (IP {ip}).',
  spfOnly:
    'Passe par SPF seul et échouerait si quelqu’un le transférait : signez ce que {ip} envoie (DKIM) au nom de {domain}.',
  fineMostly: 'Passe, en partie par sa seule signature ou par SPF seul.',
  fine: 'Passe, signé et dans SPF.',
  ownHost: 'C’est votre propre serveur, et {failed} de ses {messages} messages ont échoué.',
  ownHostMend: 'Comparez les enregistrements SPF et DKIM de {domain} avec « postern domain records {same} ».',
  forwarded:
    'Transféré ou passé par une liste de diffusion, et reconnu comme tel à l’arrivée : {failed} ont échoué.',
  nothingToDo: 'Rien à faire.',
  mixed: '{failed} sur {messages} ont échoué, les autres sont de vous.',
  mixedMend:
    'Une partie n’est pas signée, ou a été modifiée en route : voyez ce que {ip} envoie et par quelles listes cela passe.',
  service: 'A échoué {failed} fois ; l’envoi venait en réalité de {name}.',
  serviceMend:
    'Si c’est un service à vous, faites-le signer au nom de {domain} ; si c’est une liste de diffusion, rien à faire ; sinon quelqu’un se sert de votre nom.',
  unknownSource:
    'La source inconnue {ip} a échoué {failed} fois : quelqu’un envoie en votre nom, ou un service à vous manque dans le SPF de {domain} et ne signe pas.',
  lostAll: 'Tout a été refusé ou mis en indésirables.',
  lostSome: '{blocked} d’entre eux ont été refusés ou mis en indésirables.',
  tlsNoStarttls:
    '{host} n’a pas offert de chiffrement (STARTTLS) : le courrier est arrivé en clair ou pas du tout.',
  tlsLoaded: 'Son certificat est-il chargé ?',
  tlsOtherName: '{host} a montré un certificat pour un autre nom.',
  tlsExpired: '{host} a montré un certificat expiré : renouvelez-le.',
  tlsUntrusted: '{host} a montré un certificat d’une autorité inconnue, ou fait maison.',
  tlsValidation: '{host} n’a pu convenir d’une connexion chiffrée, pour une raison qui n’a pas de nom.',
  tlsTlsa:
    '{host} a un certificat que ses enregistrements TLSA (DANE) ne nomment pas : ils doivent changer avant lui.',
  tlsDnssec: '{host} a des enregistrements DNS dont les signatures (DNSSEC) ne tiennent pas.',
  tlsDane: '{host} n’a pas d’enregistrements TLSA (DANE), qu’exige l’expéditeur.',
  tlsStsFetch: '{host} a une politique MTA-STS qu’on n’a pu chercher : https://mta-sts.DOMAIN répond-il ?',
  tlsStsInvalid: '{host} a une politique MTA-STS illisible.',
  tlsStsCertificate: '{host} a pour sa politique MTA-STS une machine au mauvais certificat.',
  tlsOther: '{host} a échoué pour une raison qui n’est pas dans la norme.',
  tlsUnsaid: '{host} a échoué ; le rapport ne dit pas comment.',
} satisfies Texts<typeof en>;
