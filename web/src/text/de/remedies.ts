import type { Texts } from '../areas.ts';
import type en from '../en/remedies.ts';

export default {
  seeScript: 'Das Skript ansehen: postern sieve show {account}',
  seeSuppression:
    'Warum dorthin nichts mehr gesendet wird, falls das so ist: postern suppression show {address}',
  suppressed: 'Dorthin wird nichts mehr gesendet: postern suppression show {address}',
  waitsUntilReleased: 'Sie wartet bis zur Freigabe: postern queue release {id}',
  heldAccount:
    'War es die Person selbst: postern hold release {account}. Wenn nicht: postern account passwd {account}, dann postern hold release {account} --drop',
  releaseHeld:
    'Was vom Konto wartet, und was zu tun ist: postern hold list. Nur diese Nachricht: postern queue release {id}',
  releaseLater: 'Wenn wieder Post hinausgehen darf: postern queue release {id}',
  banLift: 'Um sie jetzt zu beenden: postern ban lift {subject}',
  intakeRetry: 'Jetzt nochmals versuchen: postern intake retry {key}',
  intakeRetryMended: 'Wenn das behoben ist: postern intake retry {key}',
  intakeStatus: 'Was nicht stimmt: postern intake status',
  intakeProblems: 'Um sie anzusehen: postern intake problems',
  certificateRenew: 'Wenn die Ursache behoben ist: postern certificate renew {name}',
  certificateList: '«postern certificate list» sagt, warum es kein neues gibt',
  certificateFile: 'Legen Sie ein neues in {file}; es wird innerhalb einer Minute gelesen',
  diskRoom: 'Schaffen Sie Platz, oder nehmen Sie einen grösseren Datenträger (docs/guides/housekeeping.md)',
  notJunk: 'Ist es gute Post, verschieben Sie sie aus dem Spam-Ordner: Der Filter lernt daraus.',
  notJunkAllow:
    'Ist es gute Post, verschieben Sie sie aus dem Spam-Ordner: Der Filter lernt daraus. Um Post von dort immer anzunehmen:\npostern filter allow {address}',
  notKept: 'Sie wurde nicht aufbewahrt.',
  kept: 'Sie wird einige Tage aufbewahrt. Um sie anzusehen und doch noch zuzustellen:\npostern vault show {case}\npostern vault release {case}',
  forgery:
    'Meist ist es eine Fälschung, und nichts ist zu tun. Ist der Absender echt, muss sein Verwalter SPF oder DKIM richten; bis dahin nehmen Sie {domain} in die Liste dmarc.ignore auf (oder, bei einem Weiterleiter oder einer Mailingliste, deren Domain in dmarc.forwarders), oder nehmen Sie alles von diesem Rechner an:\npostern filter allow {ip}',
  thatDomain: 'jene Domain',
  siteList:
    'Ein Verwalter wollte es so. Um zu sehen, seit wann und warum, und um diese Post wieder anzunehmen:\npostern filter senders\npostern filter unlist {pattern}',
  attachments:
    'Dieser Server will es so; der Absender kann die Datei auf anderem Weg senden. Was nicht angenommen wird:\npostern filter show attachments',
  virus:
    'Kennen Sie den Absender, sagen Sie es ihm: Sein Rechner ist vielleicht befallen. Stellen Sie sie nur zu, wenn Sie wissen, dass der Scanner sich irrt.',
  goodMail: 'Ist es gute Post, stellen Sie sie zu: Der Filter lernt daraus.',
  goodMailAllow:
    'Um Post von diesem Rechner immer anzunehmen, oder in den Spam-Ordner zu legen, was abgewiesen würde:\npostern filter allow {ip}\npostern filter set refuse never',
  milters: 'Ein Filter neben diesem Server hat das entschieden:\npostern filter show milters',
  filterDown:
    'Dieser Filter antwortet nicht: Starten Sie ihn. Der Absender kommt von selbst wieder. Um inzwischen ohne ihn Post anzunehmen, setzen Sie sein failure auf ignore:\npostern filter show',
  dnsSilent:
    'Der Absender kommt von selbst wieder. Hält es an, müssen die Nameserver von {domain} oder unsere repariert werden. Um solche Post unbewiesen anzunehmen, nehmen Sie die Domain in die Liste dmarc.ignore auf.',
  allowClient: 'Um Post von dort trotzdem anzunehmen:\npostern filter allow {ip}',
  scoreOnly: 'Um das nur zu bewerten und niemanden abzuweisen:\npostern filter set {setting} score',
  listed:
    'Eine Ihrer DNS-Listen führt den Absender, und Sie haben sie auf Abweisen gestellt. Wer jenen Server betreibt, muss ihn streichen lassen. Soll die Liste nur bewerten, setzen Sie ihr «refuse» auf false (postern filter show lists).',
  needsName: 'Der Anbieter des Absenders muss der Adresse einen Namen geben (PTR), der zu ihr zurückführt.',
  needsHelo: 'Der Server des Absenders muss in HELO seinen vollen Namen nennen.',
  needsAddress: 'Der Absender muss eine Adresse benutzen, der man antworten kann.',
  tooManyMessages:
    'Das Netz sandte mehr, als messages_per_hour erlaubt; es kommt von selbst wieder. Um mehr zu erlauben (0: unbegrenzt):\npostern filter set messages_per_hour NUMBER',
  greylisted:
    'Alles in Ordnung: Der Server des Absenders kommt von selbst wieder, dann wird die Post angenommen. Kommt er nicht, war es kein Mailserver. Um niemanden warten zu lassen:\npostern filter set greylist.mode off',
  guessing:
    'Jemand probiert Adressen aus oder hat eine sehr alte Liste davon. Ist es ein bekannter Absender, erlauben Sie mehr (0: beliebig viele):\npostern filter set tarpit_after NUMBER',
  scannerEarly: 'Das tut kein Mailserver: Es war ein Scanner oder ein Spamprogramm.',
  makeAddress:
    'Soll es die Adresse geben, legen Sie sie an: postern account add {address}, oder postern alias add {address} TARGET.',
  lookupCheck:
    '«postern lookup check» sagt, welche Tabelle und warum; der Absender versucht es nochmals, es geht also nichts verloren, wenn es bald behoben ist.',
  noRelay:
    'Wir nehmen nur Post für unsere eigenen Domains an. Soll {domain} eine sein: postern domain add {domain}. War es einer unserer Benutzer, muss sich sein Mailprogramm anmelden und Port 465 oder 587 benutzen.',
  theDomain: 'die Domain',
  mailboxFull: 'Löschen Sie dort Post, oder erlauben Sie mehr: postern account quota {address} 5G.',
  aliasLoop:
    'Adressen leiten im Kreis aufeinander weiter: Sehen Sie «postern alias list» durch, hier und am anderen Ende.',
  grantAddress:
    'Darf das Konto diese Adresse benutzen: postern account grant {login} ADDRESS (oder, wo eine Nachschlagetabelle entscheidet, eine Regel dort).',
  sendLimit:
    'Die Grenze schützt vor gestohlenen Passwörtern. War es nicht die Person: postern account suspend {login}. War sie es, warten Sie, oder heben Sie die Grenze in postern.toml an.',
  banned:
    'Siehe «postern ban list». Ist es jemand von Ihnen: postern ban lift mit dem, was dort steht; für ein eigenes Netz: postern ban exempt add NETWORK.',
  bannedAccount:
    'Jemand rät das Passwort von vielen Orten aus; Orte, die das Konto kennt, sind nicht betroffen. Um neue sofort zuzulassen: postern ban lift {login}.',
  suspended: 'Wieder zulassen: postern account resume {login}.',
  newPassword:
    'War es die Person, setzen Sie ein neues Passwort: postern account passwd {login}. Wenn nicht, rät jemand und wurde abgewiesen.',
  wholeAddress:
    'Melden Sie sich mit der ganzen Mailadresse an. War es niemand von Ihnen, rät jemand und wurde abgewiesen.',
  turnTlsOn:
    'Schalten Sie im Mailprogramm die Verschlüsselung ein (STARTTLS an Port 587, oder TLS an Port 465).',
  turnAuthOn: 'Schalten Sie im Mailprogramm die Anmeldung ein: die ganze Mailadresse und ihr Passwort.',
  tooLarge:
    'Die Grenze steht in postern.toml (limits); die meisten anderen Server nehmen auch nicht mehr als 25 bis 50 MB.',
  makeRoom: 'Schaffen Sie Speicherplatz: «postern status» sagt, wie viel frei ist.',
  tooMany:
    'Absender kommen von selbst wieder. Stösst ein eigenes Netz an diese Grenze, heben Sie sie in postern.toml an.',
  scanner: 'Das tut kein Mailserver: Es war ein Scanner oder ein Spamprogramm. Es ist nichts zu tun.',
  brokenProgram:
    'Das sendende Programm verletzt die Regeln von SMTP so, dass es nicht durchgelassen werden kann; sein Hersteller muss das richten.',
  noCommonTls:
    'Die beiden Seiten fanden keine gemeinsame Verschlüsselung, oder dem Gegenüber gefiel das Zertifikat nicht: siehe «postern status».',
  silent: 'Die Gegenseite verstummte. Sie kommt wieder, wenn sie etwas zu sagen hat.',
  ourFailure: 'Das war ein Fehler von uns: Das Protokoll des Servers hat die Einzelheiten zu dieser Zeit.',
  onSuppression:
    'Es wurde nichts gesendet, um unseren Ruf nicht zu verderben. Wenn die Adresse wieder geht: postern suppression remove {address}',
  theirGreylist:
    'Beim ersten Kontakt üblich (Greylisting): Der nächste Versuch gelingt höchstwahrscheinlich.',
  ourDns: 'Vergleichen Sie, was Ihr DNS sagt, mit dem, was es sagen sollte: postern domain records DOMAIN.',
  weAreListed:
    'Unsere Adresse steht auf einer Liste von Spamversendern: Sehen Sie, worauf die Antwort verweist, beheben Sie die Ursache, und bitten Sie um Streichung.',
  theirCertificate:
    'Verschlüsselung war verlangt, und die Gegenseite hat kein Zertifikat, das für ihren Namen gilt: Ihr Verwalter (oder, bei einem Relay, relay.host in postern.toml) muss das richten.',
  port25:
    'Geschieht das bei jeder Domain, sperrt Ihr Anbieter den ausgehenden Port 25: Bitten Sie um Öffnung, oder senden Sie über ein Relay.',
  noDns:
    'Dieser Server fragt kein DNS, wie in der Probe: Er kann nur über ein Relay senden (--relay HOST:PORT).',
  resolver: 'Der Nameserver antwortete nicht: Prüfen Sie /etc/resolv.conf auf diesem Rechner.',
  domainTypo: 'Prüfen Sie den Teil nach dem @ auf Tippfehler.',
  addressTypo: 'Die Adresse gibt es dort nicht: Prüfen Sie sie auf Tippfehler.',
} satisfies Texts<typeof en>;
