require ["ihave"];
if ihave "fileinto" {
  discard;
}
