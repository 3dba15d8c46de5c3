require ["body"];
if body :contains "Price: 100 €" {
  discard;
}
