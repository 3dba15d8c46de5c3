require ["relational"];
if header :value "le" "x-number" "0042" {
  discard;
}
