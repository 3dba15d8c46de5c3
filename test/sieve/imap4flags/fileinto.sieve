require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
fileinto :flags "\\Seen $Work" "A";
