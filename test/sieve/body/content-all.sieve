require ["body"];
if body :content "" :contains "secret" {
  discard;
}
