require ["ihave"];
if ihave "vnd.example.fly" {
  discard;
}
