require ["index"];
if header :index 4 :matches "x-tag" "*" {
  discard;
}
