require ["relational"];
if header :value "ne" "subject" "Q" {
  discard;
}
