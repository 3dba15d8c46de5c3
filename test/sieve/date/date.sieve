require ["date"];
if date "date" "date" "2026-03-04" {
  discard;
}
