if header "x-spam-level" "****" {
  discard;
}
