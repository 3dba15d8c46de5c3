require ["index"];
if header :index 4 ["x-tag","x-other"] "other" {
  discard;
}
