require ["body"];
if body :content "text/html" :contains "<b>ht</b>ml" {
  discard;
}
