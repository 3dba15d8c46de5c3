if header :is "subject" "trimmed" {
  discard;
}
