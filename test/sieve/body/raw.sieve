require ["body"];
if body :raw :contains "caf=C3=A9" {
  discard;
}
