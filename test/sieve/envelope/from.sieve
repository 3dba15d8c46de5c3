require ["envelope"];
if envelope :is "from" "BOB@example.com" {
  discard;
}
