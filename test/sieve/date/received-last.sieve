require ["date", "index"];
if date :index 1 :last :zone "+0000" "received" "second" "05" {
  discard;
}
