require ["extlists"];
if address :list "to" ":addrbook:default" {
  discard;
}
