require ["envelope"];
if envelope :is "to" "ann+x@example.org" {
  discard;
}
