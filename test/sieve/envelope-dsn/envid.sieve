require ["envelope", "envelope-dsn"];
if envelope "envid" "QQ1" {
  discard;
}
