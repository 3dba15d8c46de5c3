require ["relational", "comparator-i;ascii-numeric"];
if header :value "gt" :comparator "i;ascii-numeric" "x" "123456789012345678901234567890" {
  discard;
}
