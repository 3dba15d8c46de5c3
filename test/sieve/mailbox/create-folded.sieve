require ["mailbox","fileinto"]; fileinto "New"; fileinto :create "New";
