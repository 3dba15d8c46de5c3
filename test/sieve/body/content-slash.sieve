require ["body"];
if body :content "text/" :contains "caf" {
  discard;
}
