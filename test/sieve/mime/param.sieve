require ["mime"];
if header :mime :param "boundary" "content-type" "outer" {
  discard;
}
