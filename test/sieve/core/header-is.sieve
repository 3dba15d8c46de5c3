if header :is "subject" "quarterly REPORT for $ 100" {
  discard;
}
