require ["envelope", "envelope-dsn"];
if envelope :domain "orcpt" "example.org" {
  discard;
}
