require ["subaddress"];
if address :user "cc" "carl" {
  discard;
}
