require ["mailboxid"];
if mailboxidexists ["F1","F2"] {
  discard;
}
