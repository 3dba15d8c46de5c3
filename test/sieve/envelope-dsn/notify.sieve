require ["envelope", "envelope-dsn"];
if envelope "notify" "delay" {
  discard;
}
