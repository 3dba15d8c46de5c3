require ["body"];
if body :content "text" :contains "café in plain" {
  discard;
}
