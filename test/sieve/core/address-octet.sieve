if address :comparator "i;octet" :domain :is "from" "example.com" {
  discard;
}
