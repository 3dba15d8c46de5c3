require ["index"];
if address :index 1 :last "cc" "dora@example.org" {
  discard;
}
