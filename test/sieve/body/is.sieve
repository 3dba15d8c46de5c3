require ["body"];
if body :is "raw bödy
" {
  discard;
}
