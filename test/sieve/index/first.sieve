require ["index"];
if header :index 1 "x-tag" "one" {
  discard;
}
