if exists ["Subject", "date", "X-Empty"] {
  discard;
}
