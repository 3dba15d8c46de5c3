require ["date"];
if currentdate "hour" "07" {
  discard;
}
