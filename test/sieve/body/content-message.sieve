require ["body"];
if body :content "message/rfc822" :contains "the inner one" {
  discard;
}
