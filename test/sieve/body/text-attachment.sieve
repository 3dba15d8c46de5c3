require ["body"];
if body :text :contains "secret" {
  discard;
}
