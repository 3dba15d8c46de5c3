require ["environment", "relational", "comparator-i;ascii-numeric"];
if environment :count "eq" :comparator "i;ascii-numeric" "vnd.x" "0" {
  discard;
}
