require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
set "x" "bad(flag \\Seen"; keep :flags "${x}";
