if header :comparator "i;octet" :contains "subject" "report" {
  discard;
}
