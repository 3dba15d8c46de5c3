if address :all :is "to" "carl@example.org" {
  discard;
}
