if header :is "x-missing" "" {
  discard;
}
