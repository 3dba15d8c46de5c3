if header :contains "subject" "GRÜSSE" {
  discard;
}
