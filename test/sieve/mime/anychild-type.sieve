require ["mime"];
if header :mime :anychild :type "content-disposition" "attachment" {
  discard;
}
