require ["mime"];
if header :mime :contenttype "content-type" "multipart/mixed" {
  discard;
}
