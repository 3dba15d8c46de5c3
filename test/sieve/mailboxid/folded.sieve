require ["mailboxid","fileinto"]; fileinto :mailboxid "F1" "A"; fileinto :mailboxid "F1" "B";
