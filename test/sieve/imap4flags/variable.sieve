require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
addflag "f" "$A"; addflag "f" "$B"; keep :flags "${f}";
