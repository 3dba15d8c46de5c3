require ["mime"];
if header :mime :subtype "content-type" "mixed" {
  discard;
}
