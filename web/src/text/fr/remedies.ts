import type { Texts } from '../areas.ts';
import type en from '../en/remedies.ts';

export default {
  seeScript: 'Voir le script : postern sieve show {account}',
  seeSuppression: 'Pourquoi rien n’y est plus envoyé, le cas échéant : postern suppression show {address}',
  suppressed: 'Rien n’y est plus envoyé : postern suppression show {address}',
  waitsUntilReleased: 'Il attend jusqu’à : postern queue release {id}',
  heldAccount:
    'Si c’était la personne : postern hold release {account}. Sinon : postern account passwd {account}, puis postern hold release {account} --drop',
  releaseHeld:
    'Ce qui attend du compte, et que faire : postern hold list. Ce message seul : postern queue release {id}',
  releaseLater: 'Quand le courrier peut repartir : postern queue release {id}',
  banLift: 'Pour y mettre fin maintenant : postern ban lift {subject}',
  intakeRetry: 'Pour réessayer maintenant : postern intake retry {key}',
  intakeRetryMended: 'Une fois cela réparé : postern intake retry {key}',
  intakeStatus: 'Ce qui ne va pas : postern intake status',
  intakeProblems: 'Pour le voir : postern intake problems',
  certificateRenew: 'Quand la cause est réparée : postern certificate renew {name}',
  certificateList: '« postern certificate list » dit pourquoi il n’y en a pas de nouveau',
  certificateFile: 'Mettez-en un nouveau dans {file} ; il est lu dans la minute',
  diskRoom: 'Faites de la place, ou donnez-lui un plus grand disque (docs/guides/housekeeping.md)',
  notJunk: 'Si c’est du bon courrier, sortez-le des indésirables : le filtre en apprend.',
  notJunkAllow:
    'Si c’est du bon courrier, sortez-le des indésirables : le filtre en apprend. Pour toujours accepter ce qui vient de là :\npostern filter allow {address}',
  notKept: 'Il n’a pas été conservé.',
  kept: 'Il est conservé quelques jours. Pour le voir, et le remettre malgré tout :\npostern vault show {case}\npostern vault release {case}',
  forgery:
    'C’est le plus souvent un faux, et il n’y a rien à faire. Si l’expéditeur est vrai, son administrateur doit réparer SPF ou DKIM ; d’ici là, ajoutez {domain} à la liste dmarc.ignore (ou, pour un relais ou une liste de diffusion, son domaine à dmarc.forwarders), ou acceptez tout ce qui vient de cette machine :\npostern filter allow {ip}',
  thatDomain: 'ce domaine',
  siteList:
    'Un administrateur l’a voulu. Pour voir depuis quand et pourquoi, et accepter de nouveau ce courrier :\npostern filter senders\npostern filter unlist {pattern}',
  attachments:
    'Le site le veut ainsi ; l’expéditeur peut envoyer le fichier autrement. Ce qui n’est pas accepté :\npostern filter show attachments',
  virus:
    'Si vous connaissez l’expéditeur, dites-le-lui : sa machine est peut-être infectée. Ne le remettez que si vous savez que l’antivirus se trompe.',
  goodMail: 'Si c’est du bon courrier, remettez-le : le filtre en apprend.',
  goodMailAllow:
    'Pour toujours accepter le courrier de cette machine, ou mettre dans les indésirables ce qui serait refusé :\npostern filter allow {ip}\npostern filter set refuse never',
  milters: 'Un filtre à côté de ce serveur en a décidé :\npostern filter show milters',
  filterDown:
    'Ce filtre ne répond pas : démarrez-le. L’expéditeur revient de lui-même. Pour accepter du courrier sans lui en attendant, mettez son failure à ignore :\npostern filter show',
  dnsSilent:
    'L’expéditeur revient de lui-même. Si cela dure, les serveurs de noms de {domain} ou les nôtres sont à réparer. Pour accepter ce courrier sans preuve, ajoutez le domaine à la liste dmarc.ignore.',
  allowClient: 'Pour accepter malgré tout le courrier de là :\npostern filter allow {ip}',
  scoreOnly: 'Pour seulement le compter et ne refuser personne :\npostern filter set {setting} score',
  listed:
    'Une de vos listes DNS contient l’expéditeur, et vous l’avez réglée pour refuser. Qui gère ce serveur doit l’en faire retirer. Pour que la liste ne fasse que compter, mettez son « refuse » à false (postern filter show lists).',
  needsName: 'Le fournisseur de l’expéditeur doit donner à l’adresse un nom (PTR) qui ramène à elle.',
  needsHelo: 'Le serveur de l’expéditeur doit dire son nom complet en HELO.',
  needsAddress: 'L’expéditeur doit utiliser une adresse à laquelle on peut répondre.',
  tooManyMessages:
    'Le réseau a envoyé plus que messages_per_hour ne permet ; il revient de lui-même. Pour en permettre plus (0 : sans limite) :\npostern filter set messages_per_hour NUMBER',
  greylisted:
    'Tout va bien : le serveur de l’expéditeur revient de lui-même, et le courrier est alors accepté. S’il ne revient pas, ce n’était pas un serveur de messagerie. Pour ne faire attendre personne :\npostern filter set greylist.mode off',
  guessing:
    'Quelqu’un essaie des adresses, ou en a une très vieille liste. Si c’est un expéditeur connu, permettez-en plus (0 : sans limite) :\npostern filter set tarpit_after NUMBER',
  scannerEarly: 'Aucun serveur de messagerie ne fait cela : c’était un scanner ou un programme de spam.',
  makeAddress:
    'Si l’adresse doit exister, créez-la : postern account add {address}, ou postern alias add {address} TARGET.',
  lookupCheck:
    '« postern lookup check » dit quelle table et pourquoi ; l’expéditeur réessaie, donc rien n’est perdu si c’est vite réparé.',
  noRelay:
    'Nous n’acceptons que le courrier de nos propres domaines. Si {domain} doit en être : postern domain add {domain}. Si c’était un de nos utilisateurs, son logiciel doit se connecter et utiliser le port 465 ou 587.',
  theDomain: 'le domaine',
  mailboxFull: 'Supprimez-y du courrier, ou permettez-en plus : postern account quota {address} 5G.',
  aliasLoop: 'Des adresses se renvoient en rond : parcourez « postern alias list », ici et à l’autre bout.',
  grantAddress:
    'Si le compte peut utiliser cette adresse : postern account grant {login} ADDRESS (ou, si une table décide, une règle là).',
  sendLimit:
    'La limite protège des mots de passe volés. Si ce n’était pas la personne : postern account suspend {login}. Si c’était elle, attendez, ou relevez la limite dans postern.toml.',
  banned:
    'Voyez « postern ban list ». Si c’est l’un des vôtres : postern ban lift avec ce qui y figure ; pour un réseau à vous : postern ban exempt add NETWORK.',
  bannedAccount:
    'Quelqu’un devine le mot de passe depuis beaucoup de lieux ; ceux que le compte connaît ne sont pas touchés. Pour en admettre de nouveaux aussitôt : postern ban lift {login}.',
  suspended: 'L’admettre de nouveau : postern account resume {login}.',
  newPassword:
    'Si c’était la personne, donnez un nouveau mot de passe : postern account passwd {login}. Sinon, quelqu’un devine et a été refusé.',
  wholeAddress:
    'Connectez-vous avec l’adresse complète. Si ce n’était aucun des vôtres, quelqu’un devine et a été refusé.',
  turnTlsOn: 'Activez le chiffrement dans le logiciel (STARTTLS sur le port 587, ou TLS sur le port 465).',
  turnAuthOn: 'Activez l’authentification dans le logiciel : l’adresse complète et son mot de passe.',
  tooLarge:
    'La limite est dans postern.toml (limits) ; la plupart des autres serveurs n’acceptent pas plus de 25 à 50 Mo non plus.',
  makeRoom: 'Faites de la place sur le disque : « postern status » dit combien est libre.',
  tooMany:
    'Les expéditeurs reviennent d’eux-mêmes. Si un réseau à vous atteint cette limite, relevez-la dans postern.toml.',
  scanner:
    'Aucun serveur de messagerie ne fait cela : c’était un scanner ou un programme de spam. Il n’y a rien à faire.',
  brokenProgram:
    'Le programme enfreint les règles de SMTP d’une façon inadmissible ; son auteur doit le corriger.',
  noCommonTls:
    'Les deux côtés n’ont pas trouvé de chiffrement commun, ou le client n’a pas aimé le certificat : voyez « postern status ».',
  silent: 'L’autre côté s’est tu. Il reviendra s’il a quelque chose à dire.',
  ourFailure: 'C’était une défaillance de notre part : le journal du serveur a les détails à cette heure.',
  onSuppression:
    'Rien n’a été envoyé, pour ne pas gâter notre réputation. Quand l’adresse marchera de nouveau : postern suppression remove {address}',
  theirGreylist: 'Habituel au premier contact (liste grise) : la prochaine tentative passera sans doute.',
  ourDns: 'Comparez ce que dit votre DNS avec ce qu’il devrait dire : postern domain records DOMAIN.',
  weAreListed:
    'Notre adresse est sur une liste d’expéditeurs de spam : voyez où renvoie la réponse, réparez la cause, demandez à en être retiré.',
  theirCertificate:
    'Le chiffrement était exigé, et l’autre côté n’a pas de certificat valable pour son nom : son administrateur (ou, pour un relais, relay.host dans postern.toml) doit corriger cela.',
  port25:
    'Si cela arrive avec tous les domaines, votre fournisseur bloque le port 25 sortant : demandez son ouverture, ou envoyez par un relais.',
  noDns:
    'Ce serveur n’interroge pas le DNS, comme à l’essai : il ne peut envoyer que par un relais (--relay HOST:PORT).',
  resolver: 'Le serveur de noms n’a pas répondu : vérifiez /etc/resolv.conf sur cette machine.',
  domainTypo: 'Vérifiez la partie après le @.',
  addressTypo: 'L’adresse n’existe pas là-bas : vérifiez-la.',
} satisfies Texts<typeof en>;
