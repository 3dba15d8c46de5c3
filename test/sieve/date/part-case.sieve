require ["date"];
if date "date" "YEAR" "2026" {
  discard;
}
