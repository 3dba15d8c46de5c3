require ["extlists"];
if address :list "from" "tag:nowhere" {
  discard;
}
