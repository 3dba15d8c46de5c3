require ["date"];
if date "date" "weekday" "3" {
  discard;
}
