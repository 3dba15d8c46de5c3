require ["date", "relational"];
if allof (date :value "ge" "date" "hour" "05", date :value "lt" "date" "hour" "17") {
  discard;
}
