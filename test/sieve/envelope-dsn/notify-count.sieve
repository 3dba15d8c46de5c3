require ["envelope", "envelope-dsn", "relational", "comparator-i;ascii-numeric"];
if envelope :count "eq" :comparator "i;ascii-numeric" "notify" "2" {
  discard;
}
