require ["date"];
if date :originalzone "date" "zone" "+0100" {
  discard;
}
