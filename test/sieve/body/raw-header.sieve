require ["body"];
if body :raw :contains "with parts" {
  discard;
}
