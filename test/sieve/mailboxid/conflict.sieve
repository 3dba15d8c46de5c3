require ["mailboxid","fileinto","special-use"]; fileinto :mailboxid "F1" :specialuse "\\Junk" "A";
