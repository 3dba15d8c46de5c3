if exists ["Subject", "X-Missing"] {
  discard;
}
