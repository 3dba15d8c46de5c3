require ["envelope"];
if envelope "auth" "bob" {
  discard;
}
