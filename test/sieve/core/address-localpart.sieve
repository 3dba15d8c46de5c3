if address :localpart :is "from" "bob" {
  discard;
}
