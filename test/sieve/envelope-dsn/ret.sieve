require ["envelope", "envelope-dsn"];
if envelope "ret" "hdrs" {
  discard;
}
