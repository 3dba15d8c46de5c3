require ["special-use","fileinto","mailbox"]; fileinto :specialuse "\\Archive" :create "Old";
