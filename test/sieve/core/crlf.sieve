if true {
  discard;
}
