require ["body"];
if body :content "text/plain" :contains "inner words" {
  discard;
}
