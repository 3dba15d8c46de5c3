if address :localpart "to" "odd name" {
  discard;
}
