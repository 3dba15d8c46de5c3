if anyof (false, true) {
  discard;
}
