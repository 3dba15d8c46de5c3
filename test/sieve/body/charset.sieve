require ["body"];
if body :contains "Schöne Grüße" {
  discard;
}
