require ["mailbox"];
if mailboxexists "A" {
  discard;
}
