require ["date"];
if date "date" "day" "06" {
  discard;
}
