require ["date", "relational"];
if allof (currentdate :value "ge" "date" "2026-03-01", currentdate :value "le" "date" "2026-03-10") {
  discard;
}
