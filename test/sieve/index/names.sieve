require ["index"];
if header :index 1 ["x-tag","x-other"] "other" {
  discard;
}
