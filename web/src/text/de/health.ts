import type { Texts } from '../areas.ts';
import type en from '../en/health.ts';

export default {
  quotaNearly: 'Das Postfach von {address} ist fast voll.',
  quotaMend: 'Geben Sie ihm mehr Platz, oder bitten Sie den Besitzer aufzuräumen.',
  noDomain: 'Es gibt noch keine Domain: Niemandem kann geschrieben werden.',
  noDomainMend: 'Gehen Sie die Einrichtung durch, oder tippen Sie «postern domain add DOMAIN».',
  journal: 'Ereignisse können nicht gespeichert werden: {reason}',
  journalMend: 'Sehen Sie nach dem Speicherplatz und ins Protokoll des Servers.',
  store: 'Der Speicher musste seit dem Start {count} Mal neu geöffnet werden.',
  storeMend: 'Der Grund steht im Protokoll des Servers.',
  diskLow: 'Der Speicherplatz ist fast voll: Neue Post wird aufgeschoben.',
  diskMend: 'Schaffen Sie Platz, oder vergrössern Sie den Speicher.',
  lookup: 'Die Nachschlagetabelle {name} ist nicht benutzbar: {reason}',
  refusesWay: '{host} weist ab, was über {way} geht ({reason}).',
  everyHost: 'Jeder Server',
  filterDown: 'Der Filter {name} antwortet nicht: {reason}',
  noImap: 'Niemand kann Post über IMAP lesen: Es fehlt ein Zertifikat oder ein Port.',
  queueSize: '{count} Empfänger warten in der Warteschlange.',
  queueAge: 'Post wartet seit {span} in der Warteschlange.',
  destination:
    'Post an {domain} kommt nicht an: In der letzten Stunde wurden {failed} Empfänger abgewiesen, {waiting} warten, {delivered} haben sie bekommen.',
  itSays: 'Der Server sagt: {reply}',
  certificateEnded: 'Das Zertifikat von {name} ist abgelaufen: Mailprogramme verbinden sich nicht mehr.',
  certificateEnds: 'Das Zertifikat von {name} läuft in {span} ab.',
  diskFull: 'Der Speicherplatz ist fast voll ({megabytes} MB frei): Neue Post wird aufgeschoben.',
  diskFills:
    'Der Speicherplatz wird knapp: {megabytes} MB sind frei; unter {reserve} MB wird neue Post aufgeschoben.',
  dnsListed: 'Eine unserer Adressen steht auf einer DNS-Liste: Andere weisen unsere Post ab.',
  attack: 'Jemand rät Passwörter: {count} gescheiterte Anmeldungen innerhalb von zehn Minuten.',
  hold: 'Was {account} sendet, wird festgehalten. Grund: {reason}.',
  holdStolen: 'Das Passwort ist vielleicht gestohlen.',
  backupNone: 'Es gibt seit {span} keine gute Sicherung.',
  backupOld: 'Die letzte gute Sicherung ist {span} alt.',
  backupFailed: 'Der letzte Versuch ist gescheitert: {reason}',
  drill: 'Eine Sicherung liess sich beim Probelauf nicht wiederherstellen: {reason}',
  intake: 'Post, die Amazon SES für uns angenommen hat, wartet schon zu lange: {span}.',
  alertTest: 'So würde eine Warnung aussehen. Es ist alles in Ordnung.',
  sendsAsNeither: '{who} sendet seit {day} als {domain}, ohne DKIM und ausserhalb von SPF.',
  sendsAsNoDkim: '{who} sendet seit {day} als {domain}, ohne DKIM.',
  sendsAsNoSpf: '{who} sendet seit {day} als {domain}, ausserhalb von SPF.',
  sendsAsPartly: '{who} sendet seit {day} als {domain}, teils ohne DKIM oder ausserhalb von SPF.',
  thisServer: 'Dieser Server ({ip})',
  unencrypted:
    '{count} Verbindungen anderer zu {host} waren seit {day} nicht so verschlüsselt, wie sie sein sollten ({type}).',
  complained: '{count} Personen haben sich über Post von {account} beschwert.',
  complainedMend:
    'Fragen Sie, an wen das Konto schreibt und ob diese Leute das wollten; halten Sie es an, wenn sein Passwort gestohlen sein könnte.',
  noReports: 'In dieser Zeit hat niemand einen DMARC-Bericht über {domain} geschickt.',
  noReportsMend:
    'Prüfen Sie mit «postern domain records {domain}», ob der DMARC-Eintrag um Berichte bittet (rua); eine Domain, die kaum sendet, bekommt keine.',
  signatureOnly:
    'Besteht nur durch die Signatur: weitergeleitete Post, oder einer Ihrer Absender fehlt im SPF-Eintrag von {domain} (IP {ip}).',
  spfOnly:
    'Besteht nur durch SPF und würde durchfallen, wenn jemand sie weiterleitet: Signieren Sie, was {ip} sendet (DKIM), als {domain}.',
  fineMostly: 'Besteht, manches nur durch die Signatur oder nur durch SPF.',
  fine: 'Besteht, signiert und in SPF.',
  ownHost: 'Das ist Ihr eigener Mailserver, und {failed} von {messages} Nachrichten sind durchgefallen.',
  ownHostMend: 'Vergleichen Sie die SPF- und DKIM-Einträge von {domain} mit «postern domain records {same}».',
  forwarded:
    'Weitergeleitet oder über eine Mailingliste, und der Empfänger weiss das: {failed} sind durchgefallen.',
  nothingToDo: 'Es ist nichts zu tun.',
  mixed: '{failed} von {messages} sind durchgefallen, die anderen sind Ihre.',
  mixedMend:
    'Ein Teil ist nicht signiert oder wurde unterwegs verändert: Sehen Sie nach, was {ip} sendet und über welche Listen es geht.',
  service: '{failed} Mal durchgefallen; wirklich gesendet hat es {name}.',
  serviceMend:
    'Ist das ein Dienst von Ihnen, lassen Sie ihn als {domain} signieren; ist es eine Mailingliste, ist nichts zu tun; sonst benutzt jemand Ihren Namen.',
  unknownSource:
    'Die unbekannte Quelle {ip} ist {failed} Mal durchgefallen: Jemand sendet in Ihrem Namen, oder ein Dienst von Ihnen fehlt im SPF-Eintrag von {domain} und signiert nicht.',
  lostAll: 'Alles davon wurde abgewiesen oder als Spam abgelegt.',
  lostSome: '{blocked} davon wurden abgewiesen oder als Spam abgelegt.',
  tlsNoStarttls: '{host} bot keine Verschlüsselung an (STARTTLS): Post kam offen oder gar nicht.',
  tlsLoaded: 'Ist das Zertifikat geladen?',
  tlsOtherName: '{host} zeigte ein Zertifikat für einen anderen Namen.',
  tlsExpired: '{host} zeigte ein abgelaufenes Zertifikat: Erneuern Sie es.',
  tlsUntrusted: '{host} zeigte ein Zertifikat einer unbekannten Stelle oder ein selbst gemachtes.',
  tlsValidation:
    '{host} konnte sich auf keine verschlüsselte Verbindung einigen, aus einem Grund ohne eigenen Namen.',
  tlsTlsa:
    '{host} hat ein Zertifikat, das seine TLSA-Einträge (DANE) nicht nennen: Sie müssen sich vor ihm ändern.',
  tlsDnssec: '{host} hat DNS-Einträge, deren Signaturen (DNSSEC) nicht stimmen.',
  tlsDane: '{host} hat keine TLSA-Einträge (DANE), auf denen der Absender besteht.',
  tlsStsFetch: '{host} hat eine MTA-STS-Regel, die nicht abrufbar war: Antwortet https://mta-sts.DOMAIN?',
  tlsStsInvalid: '{host} hat eine MTA-STS-Regel, die nicht lesbar ist.',
  tlsStsCertificate: '{host} hat für seine MTA-STS-Regel einen Server mit schlechtem Zertifikat.',
  tlsOther: '{host} scheiterte aus einem Grund, der nicht im Standard steht.',
  tlsUnsaid: '{host} scheiterte; der Bericht sagt nicht, woran.',
} satisfies Texts<typeof en>;
