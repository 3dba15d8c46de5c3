require ["environment"];
if environment :contains "Remote-Host" "example" {
  discard;
}
