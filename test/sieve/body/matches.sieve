require ["body"];
if body :matches "*costs ??? EUR*" {
  discard;
}
