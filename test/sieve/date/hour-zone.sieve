require ["date"];
if date :zone "-0330" "date" "time" "01:30:00" {
  discard;
}
