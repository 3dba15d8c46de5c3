require ["mime"];
if header :mime :contenttype "content-type" "application/pdf" {
  discard;
}
