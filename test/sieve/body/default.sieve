require ["body"];
if body :contains "café in plain" {
  discard;
}
