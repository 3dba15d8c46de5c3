/** What an administrator can do, in English; commands to copy stand on lines of their own. */
export const remedies = {
  seeScript: 'See the script: postern sieve show {account}',
  seeSuppression: 'Why nothing more is sent there, if so: postern suppression show {address}',
  suppressed: 'Nothing more is sent there: postern suppression show {address}',
  waitsUntilReleased: 'It waits until: postern queue release {id}',
  heldAccount:
    'If it was the person: postern hold release {account}. If not: postern account passwd {account}, then postern hold release {account} --drop',
  releaseHeld:
    'What waits of the account, and what to do: postern hold list. This message alone: postern queue release {id}',
  releaseLater: 'When mail can go out again: postern queue release {id}',
  banLift: 'To end it now: postern ban lift {subject}',
  intakeRetry: 'To try it now: postern intake retry {key}',
  intakeRetryMended: 'When that is mended: postern intake retry {key}',
  intakeStatus: 'What is wrong: postern intake status',
  intakeProblems: 'To see it: postern intake problems',
  certificateRenew: 'When the cause is mended: postern certificate renew {name}',
  certificateList: '"postern certificate list" says why there is no new one',
  certificateFile: 'Put a new one into {file}; it is read within a minute',
  diskRoom: 'Make room, or give it a larger disk (docs/guides/housekeeping.md)',
  notJunk: 'If it is good mail, move it out of Junk: the filter learns from that.',
  notJunkAllow:
    'If it is good mail, move it out of Junk: the filter learns from that. To always take mail from there:\npostern filter allow {address}',

  // The filter
  notKept: 'It was not kept.',
  kept: 'It is kept for some days. To look at it, and to deliver it after all:\npostern vault show {case}\npostern vault release {case}',
  forgery:
    'Most often it is a forgery, and nothing is to be done. If the sender is real, whoever runs their mail has to mend SPF or DKIM; until then add {domain} to the list in dmarc.ignore (or, for a forwarder or mailing list, its domain to dmarc.forwarders), or take all that comes from that host:\npostern filter allow {ip}',
  thatDomain: 'that domain',
  siteList:
    'An administrator wanted it so. To see since when and why, and to take that mail again:\npostern filter senders\npostern filter unlist {pattern}',
  attachments:
    'The site wants it so; the sender can send the file some other way. What is not taken:\npostern filter show attachments',
  virus:
    'If the sender is somebody you know, tell them: their machine may be infected. Deliver it only when you know that the scanner is wrong.',
  goodMail: 'If it is good mail, deliver it: the filter learns from that.',
  goodMailAllow:
    'To always take mail from that host, or to put into Junk what would be refused:\npostern filter allow {ip}\npostern filter set refuse never',
  milters: 'A filter beside this server decided that:\npostern filter show milters',
  filterDown:
    'That filter does not answer: start it. The sender comes back by itself. To take mail without it meanwhile, set its failure to ignore:\npostern filter show',
  dnsSilent:
    'The sender comes back by itself. If it lasts, the name servers of {domain} or ours need repair. To take such mail unproven, add that domain to the list in dmarc.ignore.',

  // The gate
  allowClient: 'To take mail from there all the same:\npostern filter allow {ip}',
  scoreOnly: 'To score this and refuse nobody:\npostern filter set {setting} score',
  listed:
    'A DNS list of yours has the sender, and you have set it to refuse. Whoever runs that server has to have it taken off the list. To have the list score only, set its "refuse" to false (postern filter show lists).',
  needsName: "The sender's provider has to give the address a name (PTR) that leads back to it.",
  needsHelo: "The sender's server has to say its full name in HELO.",
  needsAddress: 'The sender has to use an address that can be answered.',
  tooManyMessages:
    'The network sent more than messages_per_hour allows; it comes back by itself. To allow more (0: no limit):\npostern filter set messages_per_hour NUMBER',
  greylisted:
    "Nothing is wrong: the sender's server comes back by itself, and then the mail is taken. If it does not come back, it was no mail server. To have nobody wait:\npostern filter set greylist.mode off",
  guessing:
    'Somebody tries addresses, or has a very old list of them. If it is a sender you know, allow more (0: any number):\npostern filter set tarpit_after NUMBER',
  scannerEarly: 'No mail server does this: it was a scanner or a spam program.',

  // What we refused
  makeAddress:
    'If the address should exist, make it: postern account add {address}, or postern alias add {address} TARGET.',
  lookupCheck:
    '"postern lookup check" says which table and why; the sender tries again, so nothing is lost when it is mended soon.',
  noRelay:
    'We take mail for our own domains only. If {domain} should be one: postern domain add {domain}. If it was a user of ours, their mail program has to sign in and use port 465 or 587.',
  theDomain: 'the domain',
  mailboxFull: 'Delete mail there, or allow more: postern account quota {address} 5G.',
  aliasLoop:
    'Addresses forward to each other in a circle: look through "postern alias list", here and at the other end.',
  grantAddress:
    'If the account may use that address: postern account grant {login} ADDRESS (or, where a lookup table decides, a rule there).',
  sendLimit:
    'The limit protects against stolen passwords. If this was not the person: postern account suspend {login}. If it was, wait, or raise the limit in postern.toml.',
  banned:
    'See "postern ban list". If it is one of yours: postern ban lift with what is listed there; for a network of yours: postern ban exempt add NETWORK.',
  bannedAccount:
    'Somebody guesses at the password from many places; places the account knows are not affected. To let new ones in at once: postern ban lift {login}.',
  suspended: 'Let it in again: postern account resume {login}.',
  newPassword:
    'If it was the person, set a new password: postern account passwd {login}. If not, somebody is guessing, and was refused.',
  wholeAddress:
    'Sign in with the whole e-mail address. If nobody of yours did this, somebody is guessing, and was refused.',
  turnTlsOn: 'Turn encryption on in the mail program (STARTTLS on port 587, or TLS on port 465).',
  turnAuthOn: 'Turn authentication on in the mail program: the whole e-mail address and its password.',
  tooLarge: 'The limit is in postern.toml (limits); most other servers take no more than 25 to 50 MB either.',
  makeRoom: 'Make room on the disk: "postern status" tells how much is free.',
  tooMany:
    'Senders come back by themselves. If a network of yours meets this limit, raise it in postern.toml.',
  scanner: 'No mail server does this: it was a scanner or a spam program. There is nothing to do.',
  brokenProgram:
    'The sending program breaks the rules of SMTP in a way that cannot be let through; its maker has to mend it.',
  noCommonTls:
    'The two sides found no common encryption, or the client did not like the certificate: see "postern status".',
  silent: 'The other side went silent. It will come back if it has something to say.',
  ourFailure: 'This was a failure of ours: the log of the server has the details at this time.',

  // What others refused
  onSuppression:
    'Nothing was sent, so as not to spoil our name. When the address works again: postern suppression remove {address}',
  theirGreylist: 'Usual at a first contact (greylisting): the next attempt will most likely pass.',
  ourDns: 'Compare what your DNS says with what it should say: postern domain records DOMAIN.',
  weAreListed:
    'Our address is on a list of senders of spam: see what the reply links to, mend the cause, ask to be taken off.',
  theirCertificate:
    'Encryption was required, and the other side has no certificate that holds for its name: its administrator (or, for a relay, relay.host in postern.toml) has to mend that.',
  port25:
    'If this happens with every domain, your provider blocks outgoing port 25: ask for it to be opened, or send through a relay.',
  noDns: 'This server asks no DNS, as in the try-out: it can send through a relay only (--relay HOST:PORT).',
  resolver: 'The name server did not answer: check /etc/resolv.conf on this machine.',
  domainTypo: 'Check the part after the @ for typing errors.',
  addressTypo: 'The address does not exist there: check it for typing errors.',
} as const;
