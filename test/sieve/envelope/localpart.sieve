require ["envelope"];
if envelope :localpart "from" "bob" {
  discard;
}
