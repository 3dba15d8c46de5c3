require ["duplicate","reject"]; if duplicate { discard; } keep;
reject "x";
