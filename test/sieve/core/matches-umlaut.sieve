if header :matches "subject" "Gr??e aus K?ln" {
  discard;
}
