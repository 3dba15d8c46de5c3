require ["mboxmetadata"];
if metadata :contains "A" "/private/comment" "hell" {
  discard;
}
