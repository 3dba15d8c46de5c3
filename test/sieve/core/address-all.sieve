if address :is "from" "BOB@example.com" {
  discard;
}
