if address :is "from" "first.last@example.com" {
  discard;
}
