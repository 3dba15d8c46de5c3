require ["spamtestplus", "relational", "comparator-i;ascii-numeric"];
if allof (spamtest :percent "0", spamtest :percent :count "eq" :comparator "i;ascii-numeric" "1") {
  discard;
}
