import type { Texts } from '../areas.ts';
import type en from '../en/settingsAbout.ts';

export default {
  'admin.require_second_factor':
    'Les administrateurs sans second facteur (code d’une application, clé d’accès) ne peuvent qu’en mettre un en place.',
  'alerts.mail': 'Les alertes sont envoyées aux administrateurs.',
  'alerts.mail_to': 'Adresses extérieures qui reçoivent aussi les alertes.',
  'alerts.digest_minutes':
    'Minutes entre deux courriels, quoi qu’il arrive. Ce qui est critique en attend cinq au plus.',
  'alerts.repeat_hours': 'Heures après lesquelles ce qui dure est redit ; 0 : jamais.',
  'alerts.off': 'Sortes d’alertes dont personne n’est averti.',
  'alerts.webhook.url': 'Adresse d’un programme qui reçoit les alertes ; vide : aucun.',
  'alerts.webhook.secret_file': 'Fichier du serveur avec la clé qui signe ces envois.',
  'alerts.webhook.private': 'Le programme peut être dans votre propre réseau.',
  'alerts.limits.queue_recipients': 'Destinataires en attente à partir desquels il y a une alerte.',
  'alerts.limits.queue_minutes': 'Minutes d’attente d’un message à partir desquelles il y a une alerte.',
  'alerts.limits.provider_recipients':
    'Destinataires chez un grand fournisseur qui n’ont pas reçu leur courrier dans la dernière heure.',
  'alerts.limits.destination_recipients':
    'Destinataires d’un autre domaine qui n’ont pas reçu leur courrier dans la dernière heure.',
  'alerts.limits.certificate_days': 'Jours avant la fin d’un certificat.',
  'alerts.limits.failed_logins': 'Connexions échouées en dix minutes.',
  'alerts.limits.backup_hours':
    'Heures depuis la dernière bonne sauvegarde, là où des sauvegardes sont prévues.',
  'housekeeping.trash_days': 'Jours après lesquels le courrier quitte la corbeille ; 0 : jamais.',
  'housekeeping.junk_days': 'Jours après lesquels le courrier quitte les indésirables ; 0 : jamais.',
  'housekeeping.accounts': 'D’autres délais pour certains comptes : {"ann@example.org": {"trash_days": 90}}.',
  'housekeeping.quota.tell':
    'Le propriétaire et les administrateurs sont avertis quand un compte est presque plein.',
  'housekeeping.quota.warn_percent': 'Pourcentage de sa place à partir duquel un compte est presque plein.',
  'housekeeping.quota.urgent_percent': 'Pourcentage de sa place à partir duquel c’est urgent.',
  'housekeeping.disk_reserve.percent':
    'Pourcentage du disque qui reste libre : en dessous, le nouveau courrier est différé. La plus grande de cette valeur et de la suivante compte.',
  'housekeeping.disk_reserve.megabytes': 'Mégaoctets du disque qui restent libres.',
  'housekeeping.archive':
    'Domaines dont tout le courrier est copié vers une adresse : {"example.org": {"address": "archive@example.org"}}.',
  'journal.addresses_days':
    'Jours après lesquels les adresses de courriel du journal deviennent des pseudonymes ; 0 : jamais.',
  'journal.ips_days': 'Jours après lesquels ses adresses IP deviennent des réseaux ; 0 : jamais.',
  'journal.client_ips':
    'Ce qui est noté des adresses IP des clients : tout (full), le réseau (network) ou rien (none).',
  'journal.words':
    'Les raisons du filtre antispam peuvent citer des mots d’un message. Les objets eux-mêmes ne sont jamais gardés.',
  'journal.log_addresses': 'Le journal du serveur nomme les adresses de courriel ; sinon des pseudonymes.',
  'doctor.addresses': 'Adresses publiques du serveur, quand la machine ne les a pas elle-même.',
  'doctor.mta_sts':
    'Politique de remise chiffrée vers nous (MTA-STS) : off, none, testing, ou enforce quand les rapports sont bons.',
  'doctor.mta_sts_days': 'Jours pendant lesquels les autres peuvent garder cette politique.',
  'doctor.autoconfig': 'Les logiciels de courrier apprennent leurs réglages (autoconfig, autodiscover).',
  'doctor.issuers': 'Autorités qui peuvent délivrer des certificats pour vos domaines (CAA).',
  'doctor.lists': 'Listes DNS interrogées sur nos adresses.',
  'doctor.time_servers': 'Serveurs auxquels l’heure est demandée.',
  'doctor.big_domains': 'Domaines auprès desquels on essaie si le courrier peut sortir (port 25).',
  'doctor.daily': 'Regarder chaque jour, et dire aux administrateurs ce qui a changé.',
  'doctor.dkim_rotate_days':
    'Jours après lesquels chaque domaine reçoit de nouvelles clés de signature (DKIM) ; 0 : jamais d’office.',
  'backup.target': 'Où vont les sauvegardes : un dossier ou s3://BUCKET/PREFIX ; vide : il n’y en a pas.',
  'backup.passphrase_file': 'Fichier avec la phrase secrète qui chiffre les sauvegardes.',
  'backup.key_file': 'Fichier avec une clé à la place d’une phrase secrète.',
  'backup.region': 'Région du bucket.',
  'backup.endpoint': 'Un autre stockage compatible S3, à la place de celui d’Amazon.',
  'backup.credentials_file': 'Fichier avec « clé:secret » pour le bucket.',
  'backup.profile': 'Profil des réglages AWS de cette machine.',
  'backup.role_arn': 'Rôle endossé pour le bucket (ARN).',
  'backup.every_hours': 'Heures entre deux sauvegardes ; 0 : aucune d’office.',
  'backup.keep_daily': 'Autant des derniers jours avec une sauvegarde en gardent une.',
  'backup.keep_weekly': 'Autant des dernières semaines en gardent une.',
  'backup.keep_monthly': 'Autant des derniers mois en gardent une.',
  'backup.drill_days': 'Jours entre deux essais de restauration ; 0 : jamais.',
  'backup.scratch': 'Dossier pour cela ; vide : dans le dossier des données.',
  'backup.mib_per_second': 'Mio lus par seconde au plus ; 0 : sans limite.',
  'filter.enabled': 'Le filtre antispam est en service.',
  'filter.good_per_junked': 'Au plus un bon message sur autant va dans les indésirables.',
  'filter.refuse':
    'Ce qui est du spam sans aucun doute est refusé (certain), ou mis en indésirables (never).',
  'filter.dmarc.enforce':
    'Faire ce que le domaine d’un expéditeur demande pour le courrier non prouvé (DMARC).',
  'filter.dmarc.ignore': 'Domaines pour lesquels on ne le fait pas.',
  'filter.dmarc.forwarders': 'Services de transfert et listes auxquels vous faites confiance (ARC).',
  'filter.dmarc.reports': 'Envoyer des rapports quotidiens aux domaines qui en demandent (DMARC).',
  'filter.tls_reports': 'Envoyer des rapports quotidiens sur les connexions chiffrées (TLS-RPT).',
  'filter.report_opt_out': 'Domaines qui ne reçoivent pas de rapports.',
  'filter.lists': 'Listes DNS interrogées sur les expéditeurs.',
  'filter.unknown_sender_domain':
    'Un expéditeur dont le domaine n’existe pas : le compter (score), ou refuser (refuse).',
  'filter.helo': 'Un serveur qui se présente mal : le compter (score), ou refuser (refuse).',
  'filter.reverse_dns': 'Un serveur sans nom pour son adresse : le compter (score), ou refuser (refuse).',
  'filter.early_talker': 'Un serveur qui n’attend pas son tour : le compter (score), ou refuser (refuse).',
  'filter.greeting_pause_ms': 'Millisecondes pendant lesquelles un serveur attend notre salut.',
  'filter.greylist.mode':
    'Les inconnus sont priés de revenir plus tard : jamais (off), les suspects seulement (suspicious), ou tous (all).',
  'filter.greylist.delay_s': 'Secondes après lesquelles ils peuvent revenir.',
  'filter.messages_per_hour': 'Messages par heure qu’un réseau peut envoyer ; 0 : sans limite.',
  'filter.tarpit_after': 'Destinataires inexistants après lesquels un expéditeur est ralenti ; 0 : jamais.',
  'filter.attachments.refuse': 'Sortes de pièces jointes qui sont refusées.',
  'filter.attachments.junk': 'Sortes de pièces jointes qui vont dans les indésirables.',
  'filter.vault.days': 'Jours pendant lesquels le courrier refusé est gardé ; 0 : pas du tout.',
  'filter.vault.bytes': 'Octets que le courrier refusé peut occuper en tout.',
  'filter.clamav.address': 'Où se trouve l’antivirus ClamAV ; vide : aucun.',
  'filter.clamav.failure': 'Quand il ne répond pas : accepter le courrier (ignore), ou le différer (defer).',
  'filter.clamav.infected':
    'Ce qu’il trouve infecté est refusé (refuse), ou va dans les indésirables (junk).',
  'filter.rspamd.url': 'Où se trouve le filtre rspamd ; vide : aucun.',
  'filter.rspamd.failure': 'Quand il ne répond pas : accepter le courrier (ignore), ou le différer (defer).',
  'filter.rspamd.weight': 'Combien compte chacun de ses points.',
  'filter.milters': 'Autres filtres (milters) qui voient chaque message.',
  'filter.bans.enabled': 'Les réseaux qui devinent des mots de passe sont bannis pour un temps.',
  'filter.bans.failures': 'Connexions échouées qui mènent au bannissement.',
  'filter.bans.window_s': 'Secondes pendant lesquelles elles comptent.',
  'filter.bans.first_s': 'Secondes que dure le premier bannissement ; chaque suivant dure le double.',
  'filter.bans.exempt': 'Réseaux qui ne sont jamais bannis.',
  'filter.outgoing.hold_unusual':
    'Retenir ce qu’un compte envoie quand c’est bien plus que jamais auparavant.',
  'filter.outgoing.unusual_from': 'Messages par heure en dessous desquels rien n’est inhabituel.',
  'filter.outgoing.hold_spam': 'Retenir le courrier sortant qui est du spam sans aucun doute.',
  'certificates.enabled': 'Obtenir et renouveler les certificats automatiquement.',
  'certificates.terms_agreed': 'Vous avez lu et acceptez les conditions de l’autorité.',
  'certificates.directory': 'Adresse de l’autorité.',
  'certificates.staging': 'Certificats d’essai, auxquels personne ne se fie.',
  'certificates.ca_file': 'Fichier d’autorités de confiance, pour une autorité à vous.',
  'certificates.contact': 'Adresses auxquelles l’autorité peut écrire.',
  'certificates.eab.key_id': 'Numéro d’un compte auprès de l’autorité, si elle en veut un.',
  'certificates.eab.hmac_key_file': 'Fichier avec la clé de ce compte.',
  'certificates.challenge':
    'Comment prouver qu’un nom est à vous : sur le port 80 (http-01), sur le port 443 (tls-alpn-01), par DNS (dns-01).',
  'certificates.dns_wait_seconds':
    'Secondes avant que tous les serveurs d’une zone aient un enregistrement (dns-01).',
  'certificates.hostname': 'Le nom du serveur est dans le premier certificat.',
  'certificates.names': 'Autres noms du premier certificat.',
  'certificates.domain_hosts':
    'Noms sous vos domaines qui reçoivent des certificats : {"example.org": ["mta-sts", "autoconfig"]} ; "*" : tous les domaines.',
  'certificates.key_type': 'Sorte des clés.',
  'certificates.profile': 'Un profil de l’autorité ; vide : son profil habituel.',
  'certificates.alarm_days': 'Jours avant la fin d’un certificat où vous êtes averti.',
} satisfies Texts<typeof en>;
