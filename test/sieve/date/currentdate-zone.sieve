require ["date"];
if currentdate :zone "-1200" "date" "2026-03-03" {
  discard;
}
