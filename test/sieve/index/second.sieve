require ["index"];
if header :index 2 "x-tag" "two" {
  discard;
}
