require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
fileinto "A"; setflag "\\Seen"; fileinto "B";
