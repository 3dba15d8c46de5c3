require ["servermetadata"];
if servermetadataexists "/private/comment" {
  discard;
}
