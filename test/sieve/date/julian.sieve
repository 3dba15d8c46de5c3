require ["date"];
if date :zone "+0000" "date" "julian" "61103" {
  discard;
}
