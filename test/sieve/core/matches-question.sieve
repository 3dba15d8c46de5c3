if header :matches "subject" "?uarterly report for $ ???" {
  discard;
}
