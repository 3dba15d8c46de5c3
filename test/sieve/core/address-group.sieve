if address :is "to" "bob@example.com" {
  discard;
}
