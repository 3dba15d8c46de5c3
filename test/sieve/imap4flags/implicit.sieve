require ["imap4flags","fileinto","variables","relational","comparator-i;ascii-numeric"];
addflag "\\Answered";
