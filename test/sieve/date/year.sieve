require ["date"];
if date "date" "year" "2026" {
  discard;
}
