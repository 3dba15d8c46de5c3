require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
setflag "\\Seen"; addflag ["\\SEEN","$New"]; keep;
