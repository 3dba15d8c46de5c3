require ["index"];
if header :index 1 ["x-other","x-tag"] "one" {
  discard;
}
