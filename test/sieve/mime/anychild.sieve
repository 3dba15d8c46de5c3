require ["mime"];
if header :mime :anychild :contenttype "content-type" "application/pdf" {
  discard;
}
