require ["body"];
if body :raw :contains "--outer" {
  discard;
}
