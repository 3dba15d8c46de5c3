if header :comparator "i;octet" :contains "subject" "REPORT" {
  discard;
}
