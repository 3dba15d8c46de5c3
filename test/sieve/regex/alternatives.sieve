require ["regex"];
if header :regex "subject" "(annual|quarterly) report" {
  discard;
}
