require ["body"];
if body :contains "not shown" {
  discard;
}
