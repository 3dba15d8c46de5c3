require ["envelope"];
if envelope :domain ["from","to"] "example.org" {
  discard;
}
