if address :contains "reply-to" "fake" {
  discard;
}
