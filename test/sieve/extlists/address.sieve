require ["extlists"];
if address :list "from" ":addrbook:default" {
  discard;
}
