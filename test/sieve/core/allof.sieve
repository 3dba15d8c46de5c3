if allof (true, true, not false) {
  discard;
}
