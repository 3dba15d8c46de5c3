require ["spamtest", "relational", "comparator-i;ascii-numeric"];
if spamtest :count "eq" :comparator "i;ascii-numeric" "0" {
  discard;
}
