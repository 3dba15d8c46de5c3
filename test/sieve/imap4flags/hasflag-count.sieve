require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
setflag "$A $B"; if hasflag :count "eq" :comparator "i;ascii-numeric" "2" { discard; }
