if header :matches "subject" "Quarterly*100" {
  discard;
}
