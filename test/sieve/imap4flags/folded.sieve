require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
fileinto :flags "$A" "X"; fileinto :flags "$B" "X";
