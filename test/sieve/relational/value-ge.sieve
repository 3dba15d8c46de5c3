require ["relational"];
if header :value "ge" "subject" "Q" {
  discard;
}
