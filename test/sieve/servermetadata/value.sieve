require ["servermetadata"];
if servermetadata :matches "/shared/admin" "mailto:*" {
  discard;
}
