require ["body"];
if body :text :contains "café in html" {
  discard;
}
