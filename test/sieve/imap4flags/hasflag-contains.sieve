require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
setflag "$Work-Home"; if hasflag :contains "home" { discard; }
