require ["mime", "relational", "comparator-i;ascii-numeric"];
if header :mime :anychild :type :count "eq" :comparator "i;ascii-numeric" "content-type" "6" {
  discard;
}
