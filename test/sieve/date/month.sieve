require ["date"];
if date "date" "month" "03" {
  discard;
}
