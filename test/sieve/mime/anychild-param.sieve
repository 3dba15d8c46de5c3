require ["mime"];
if header :mime :anychild :param "filename" :matches "content-disposition" "*.pdf" {
  discard;
}
