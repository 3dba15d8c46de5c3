require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
setflag "f" "$A $B"; if hasflag "f" "$B" { discard; }
