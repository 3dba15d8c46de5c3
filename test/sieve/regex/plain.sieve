require ["regex"];
if header :regex "subject" "^quarterly .* [0-9]{3}$" {
  discard;
}
