require ["comparator-i;unicode-casemap"];
if header :comparator "i;unicode-casemap" :matches "subject" "gr??e * k?LN" {
  discard;
}
