if header :matches "subject" "Quarterly report for $ 100?" {
  discard;
}
