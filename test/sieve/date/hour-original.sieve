require ["date"];
if date :originalzone "date" "hour" "06" {
  discard;
}
