require ["regex"];
if header :regex "subject" "rep[ao]rt" {
  discard;
}
