require ["envelope"];
if envelope :contains "auth" "" {
  discard;
}
