require ["mailboxid"];
if mailboxidexists "F1" {
  discard;
}
