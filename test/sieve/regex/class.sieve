require ["regex"];
if header :regex "x-number" "^[[:digit:]]+$" {
  discard;
}
