require ["envelope", "envelope-dsn"];
if envelope :contains "envid" "" {
  discard;
}
