require ["servermetadata"];
if servermetadataexists "/shared/admin" {
  discard;
}
