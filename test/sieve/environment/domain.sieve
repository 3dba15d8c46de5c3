require ["environment"];
if environment :is "domain" "example.org" {
  discard;
}
