require ["envelope"];
if envelope :contains "from" "example" {
  discard;
}
