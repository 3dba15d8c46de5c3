require ["mime"];
if header :mime :type "content-type" "multipart" {
  discard;
}
