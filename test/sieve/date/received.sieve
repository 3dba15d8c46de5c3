require ["date"];
if date :zone "+0000" "received" "second" "10" {
  discard;
}
