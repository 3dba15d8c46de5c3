require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
setflag "\\Seen $A"; if hasflag "$a" { discard; }
