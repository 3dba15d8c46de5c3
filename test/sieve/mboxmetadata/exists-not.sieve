require ["mboxmetadata"];
if metadataexists "A" ["/private/comment","/private/x"] {
  discard;
}
