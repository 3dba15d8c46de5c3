if address :is "cc" "fritz@example.org" {
  discard;
}
