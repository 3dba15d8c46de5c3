require ["body"];
if body :contains "100 EUR" {
  discard;
}
