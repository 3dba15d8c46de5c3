require ["date"];
if allof (date "date" "minute" "00", date "date" "second" "00") {
  discard;
}
