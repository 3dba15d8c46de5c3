if address :contains "from" "Builder" {
  discard;
}
