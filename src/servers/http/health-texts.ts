/**
 * What is wrong with the server and what the reports of others come to: alerts (src/flow/alerts), the overview, findings and
 * advice about sources (src/mail/reports). Alerts and advice are recognised by their words.
 */
export const healthTexts = {
  quotaNearly: 'The mailbox of {address} is nearly full.',
  quotaMend: 'Give it more room, or ask its owner to clear up.',
  noDomain: 'There is no domain yet: nobody can be written to.',
  noDomainMend: 'Go through the setup, or type "postern domain add DOMAIN".',
  journal: 'Events cannot be stored: {reason}',
  journalMend: 'Look at the disk and at the log of the server.',
  store: 'The store had to be opened again {count} times since the start.',
  storeMend: 'Look at the log of the server for the reason.',
  diskLow: 'The disk is nearly full: new mail is put off.',
  diskMend: 'Make room, or give it a larger disk',
  lookup: 'The lookup table {name} cannot be used: {reason}',
  refusesWay: '{host} refuses what goes by {way} ({reason}).',
  everyHost: 'Every host',
  filterDown: 'The filter {name} does not answer: {reason}',
  noImap: 'Nobody can read mail by IMAP: there is no certificate, or no port.',
  queueSize: '{count} recipients wait in the queue.',
  queueAge: 'Mail has waited in the queue for {span}.',
  destination:
    'Mail to {domain} does not arrive: in the last hour {failed} recipients were refused, {waiting} wait, {delivered} got it.',
  itSays: 'It says: {reply}',
  certificateEnded: 'The certificate of {name} has ended: mail programs refuse to connect.',
  certificateEnds: 'The certificate of {name} ends in {span}.',
  diskFull: 'The disk is nearly full ({megabytes} MB free): new mail is put off.',
  diskFills: 'The disk fills: {megabytes} MB are free; below {reserve} MB new mail is put off.',
  dnsListed: 'An address of ours is on a DNS list: others refuse our mail.',
  attack: 'Somebody guesses passwords: {count} failed logins within ten minutes.',
  hold: 'What {account} sends is held, because {reason}.',
  holdStolen: 'Its password may be stolen.',
  backupNone: 'There is no good backup, for {span} now.',
  backupOld: 'The last good backup is {span} old.',
  backupFailed: 'The last try failed: {reason}',
  drill: 'A backup could not be restored when that was tried: {reason}',
  intake: 'Mail that Amazon SES took for us has waited too long, since {span}.',
  alertTest: 'This is what an alert would come like. Nothing is wrong.',
  sendsAsNeither: '{who} sends as {domain} without DKIM and outside SPF since {day}.',
  sendsAsNoDkim: '{who} sends as {domain} without DKIM since {day}.',
  sendsAsNoSpf: '{who} sends as {domain} outside SPF since {day}.',
  sendsAsPartly: '{who} sends as {domain} partly without DKIM or outside SPF since {day}.',
  thisServer: 'This server ({ip})',
  unencrypted:
    '{count} connections of others to {host} were not encrypted as they should be, since {day} ({type}).',
  complained: '{count} people complained of mail from {account}.',
  complainedMend:
    'Ask whom it writes to, and whether they wanted it; hold the account when its password may be stolen.',
  noReports: 'Nobody has sent a DMARC report about {domain} in this time.',
  noReportsMend:
    'See that its DMARC record asks for reports (rua) with "postern domain records {domain}"; a domain that hardly sends gets none.',
  signatureOnly:
    'Passes by its signature alone: forwarded mail, or a sender of yours that is missing from the SPF record of {domain} (ip {ip}).',
  spfOnly:
    'Passes by SPF alone and would fail when somebody forwards it: sign what {ip} sends (DKIM) as {domain}.',
  fineMostly: 'Passes, some of it by its signature or by SPF alone.',
  fine: 'Passes, signed and in SPF.',
  ownHost: 'This is your own mail host, and {failed} of its {messages} messages failed.',
  ownHostMend: 'Compare the SPF and DKIM records of {domain} with "postern domain records {same}".',
  forwarded: 'Forwarded or through a mailing list, and known as that where it arrived: {failed} failed.',
  nothingToDo: 'Nothing to do.',
  mixed: '{failed} of {messages} failed, the others are yours.',
  mixedMend:
    'Some of it is not signed, or was changed on its way: look at what {ip} sends and at lists it passes.',
  service: 'Failed {failed} times; it was really sent by {name}.',
  serviceMend:
    'If that is a service of yours, have it sign as {domain}; if it is a mailing list, nothing to do; else somebody uses your name.',
  unknownSource:
    'Unknown source {ip} failed {failed} times: somebody sends in your name, or a service of yours is not in the SPF record of {domain} and does not sign.',
  lostAll: 'All of it was refused or put into Junk.',
  lostSome: '{blocked} of these were refused or put into Junk.',
  tlsNoStarttls: '{host} did not offer encryption (STARTTLS): mail came in clear or not at all.',
  tlsLoaded: 'Is its certificate loaded?',
  tlsOtherName: '{host} showed a certificate for another name.',
  tlsExpired: '{host} showed a certificate that has ended: renew it.',
  tlsUntrusted: '{host} showed a certificate of an authority that is not known, or its own.',
  tlsValidation:
    '{host} could not agree on an encrypted connection, for a reason that has no name of its own.',
  tlsTlsa:
    '{host} has a certificate that its TLSA records (DANE) do not name: they have to change before it does.',
  tlsDnssec: '{host} has DNS records whose signatures (DNSSEC) do not hold.',
  tlsDane: '{host} has no TLSA records (DANE), which the sender insists on.',
  tlsStsFetch: '{host} has an MTA-STS policy that could not be fetched: is https://mta-sts.DOMAIN up?',
  tlsStsInvalid: '{host} has an MTA-STS policy that cannot be read.',
  tlsStsCertificate: '{host} has an MTA-STS policy host with a bad certificate.',
  tlsOther: '{host} failed for a reason that is not a standard one.',
  tlsUnsaid: '{host} failed; the report does not say how.',
} as const;
