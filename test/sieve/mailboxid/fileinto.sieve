require ["mailboxid","fileinto"]; fileinto :mailboxid "F1" "A";
