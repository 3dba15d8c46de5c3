require ["mailbox"];
if mailboxexists ["A","B"] {
  discard;
}
