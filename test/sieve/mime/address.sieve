require ["mime"];
if address :mime :anychild "from" "inner@example.net" {
  discard;
}
