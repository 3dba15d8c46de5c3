if header :is "subject" "Grüße aus Köln" {
  discard;
}
