require ["fileinto","copy"]; fileinto :copy "Inbox";
