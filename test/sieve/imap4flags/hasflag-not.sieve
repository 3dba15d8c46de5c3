require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
if hasflag "\\Seen" { discard; }
