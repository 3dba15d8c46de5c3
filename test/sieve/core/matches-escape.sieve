if header :matches "x-spam-level" "\\*\\*\\*\\*" {
  discard;
}
