require ["mboxmetadata"];
if metadataexists "A" ["/private/comment"] {
  discard;
}
